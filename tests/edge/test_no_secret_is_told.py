"""Through everything that handles secrets: none of them stands in a log line, in the audit trail or beside a mail."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import resolve
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.logs import ACCESS, AccessFormatter
from apps.edge.models import IdempotencyKey
from apps.iam.attempt_models import SignInAttempt
from apps.iam.models import User
from apps.notifications.models import EmailDelivery
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, person
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.iam.mailbox import RunTasks, mails_to, token_in

WRONG, NEW, KEY = "Wrong-password-9", "Fresh-password-2", "idempotency-key-of-mine-0001"
RENDER = structlog.processors.JSONRenderer()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Every line from DEBUG on, in production's form."""
    text = io.StringIO()
    processors = [*settings.LOGGING["formatters"]["structured"]["processors"][:-1], RENDER]
    before = settings.LOGGING["formatters"]["structured"]["foreign_pre_chain"]
    form = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=processors)
    handlers = [(logging.getLogger(), form), (ACCESS, AccessFormatter(as_json=True))]
    undo = []
    for logger, formatter in handlers:
        handler = logging.StreamHandler(text)
        handler.setFormatter(formatter)
        undo.append((logger, handler, logger.level))
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if logger is not ACCESS else logging.INFO)
    yield text
    for logger, handler, level in undo:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_secrets_stay_secret(
    acme: TenantView,
    api: ApiFor,
    browser_client: BrowserFor,
    anonymous_api: APIClient,
    run_tasks: RunTasks,
    lines: io.StringIO,
) -> None:
    _, email = person(acme)
    secrets: list[str] = [PASSWORD, WRONG, NEW, KEY]
    # Signing in, wrongly and rightly, by API and by page.
    credentials = {"email": email, "password": PASSWORD, "tenant": acme.key}
    anonymous_api.post("/api/v1/auth/signin", credentials | {"password": WRONG})
    pair = anonymous_api.post("/api/v1/auth/signin", credentials).json()
    secrets += [pair["access"], pair["refresh"]]
    again = anonymous_api.post("/api/v1/auth/refresh", {"refresh": pair["refresh"]}).json()
    secrets += [again["access"], again["refresh"]]
    anonymous_api.post("/api/v1/auth/refresh", {"refresh": pair["refresh"]})
    page = browser_client(acme)
    page.get("/account/", headers={"X-Forwarded-Authorization": f"Bearer {again['access']}"})
    secrets.append(page.cookies[settings.SESSION_COOKIE_NAME].value)
    anonymous_api.get("/api/v1/me", headers={"Authorization": f"Bearer {pair['access']}x"})
    # A forgotten password, its letter and its link.
    with run_tasks():
        anonymous_api.post("/api/v1/auth/password/forgot", {"email": email})
    letter = mails_to(email)[-1]
    assert letter.extra_headers["X-Correlation-ID"] and letter.extra_headers["traceparent"].startswith("00-")
    link = token_in(letter)
    secrets.append(link)
    Client(SERVER_NAME="localhost", raise_request_exception=False).get("/reset-password/", {"token": link})
    anonymous_api.post("/api/v1/auth/password/reset", {"token": link, "password": NEW})
    anonymous_api.post("/api/v1/auth/password/reset", {"token": link, "password": NEW})
    # An invitation, whose link stands in a path.
    owner = api(acme)
    with run_tasks():
        invited = owner.post(
            "/api/v1/invitations", {"email": "invited@new.test", "role": "MEMBER"}, headers={"Idempotency-Key": KEY}
        )
    assert invited.status_code == 201, invited.content
    invitation = token_in(mails_to("invited@new.test")[-1])
    secrets.append(invitation)
    guest = Client(SERVER_NAME=acme.host, raise_request_exception=False)
    guest.get(f"/invitations/{invitation}/")
    anonymous_api.get(f"/api/v1/invitations/by-token/{invitation}")
    anonymous_api.delete(f"/api/v1/invitations/by-token/{invitation}")
    guest.generic(
        "POST", f"/invitations/{invitation}/", b"{", content_type="application/json", CONTENT_LENGTH="11000000"
    )
    # A key of a program, shown once, then used.
    made = owner.post("/api/v1/api-keys", {"name": "Export", "scopes": ["clients:read"]})
    assert made.status_code == 201, made.content
    secrets.append(made.json()["secret"])
    robot = APIClient(SERVER_NAME=settings.PLATFORM_HOST)
    robot.credentials(HTTP_AUTHORIZATION=f"Bearer {made.json()['secret']}")
    assert robot.get("/api/v1/clients").status_code == 200
    # What a careless line would say.
    structlog.get_logger("careless").warning(
        "tried", authorization=again["access"], nested={"password": NEW}, headers=[f"Bearer {again['access']}"]
    )
    logging.getLogger("careless").error("key %s at postgres://insula:%s@db/x", made.json()["secret"], PASSWORD)

    told = lines.getvalue()
    rows = [str(list(AuditEntry.objects.values())), str(list(SignInAttempt.objects.values()))]
    rows += [str(list(EmailDelivery.objects.values())), str(list(IdempotencyKey.objects.values("headers", "digest")))]
    for secret in filter(None, secrets):
        assert secret not in told
        assert not [row[:200] for row in rows if secret in row]
    parsed = [json.loads(line) for line in told.splitlines()]
    answered = [line for line in parsed if line["event"] == "request"]
    assert all({"correlation_id", "trace_id", "route", "status", "duration_ms"} <= line.keys() for line in answered)
    assert [line for line in answered if line.get("tenant") == acme.key and line.get("user_id")]
    careless = [line for line in parsed if line["logger"] == "careless"]
    assert (careless[0]["authorization"], careless[0]["nested"]) == ("[redacted]", {"password": "[redacted]"})


def test_a_refusal_is_written_down_with_who_and_where(acme: TenantView, api: ApiFor, lines: io.StringIO) -> None:
    viewer = api(acme, "VIEWER")
    assert viewer.post("/api/v1/clients", {"name": "No"}).status_code == 403
    (line,) = [told for told in map(json.loads, lines.getvalue().splitlines()) if told.get("status") == 403]
    assert (line["event"], line["method"], line["tenant"], line["ip"]) == ("request", "POST", acme.key, "127.0.0.1")
    assert line["route"] == "/api/v1/clients" and line["timestamp"].endswith("Z")
    assert line["user_id"] == str(User.objects.get(email="viewer@acme.test").id)


def test_a_failures_line_names_the_route_and_not_the_path(lines: io.StringIO) -> None:
    request = RequestFactory().get("/invitations/secret-of-a-link/")
    request.resolver_match = resolve("/invitations/secret-of-a-link/", urlconf="config.urls_tenant")
    logging.getLogger("django.request").error("Internal Server Error: %s", request.path, extra={"request": request})
    assert "secret-of-a-link" not in lines.getvalue()
    assert "Internal Server Error: /invitations/<slug:token>/" in lines.getvalue()

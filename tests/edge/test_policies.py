"""What answers tell browsers: policies, HTTPS, other origins; and that production's settings pass Django's checks."""

import os
import re
import secrets
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client, RequestFactory

from apps.edge import checks
from apps.edge.middleware import EdgeMiddleware
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.processes import ASYNC_CHECK, REPOSITORY

OURS, FOREIGN = "https://app.example", "https://evil.example"
OF_TESTS = ("STRIPE_API_HOST", "PUBLIC_SCHEME", ASYNC_CHECK)
ASK = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def policy(answer: Any) -> dict[str, str]:
    """The directives of its Content-Security-Policy."""
    parts = [part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: value for name, _, value in parts}


def test_a_pages_policy_allows_what_carries_its_nonce() -> None:
    def show(request: HttpRequest) -> HttpResponse:
        template = engines["django"].from_string('<style nonce="{{ CSP_NONCE }}"></style>')
        return HttpResponse(template.render({}, request))

    first, second = (EdgeMiddleware(show)(RequestFactory().get("/")) for _ in range(2))
    told = policy(first)
    nonce = re.search(r"'nonce-([^']{20,})'", told["script-src"])
    assert nonce and f'nonce="{nonce[1]}"' in first.content.decode()  # type: ignore[attr-defined]
    assert f"'nonce-{nonce[1]}'" in told["style-src"]
    assert nonce[1] not in second.headers["Content-Security-Policy"]
    assert "unsafe" not in first.headers["Content-Security-Policy"]
    assert (told["object-src"], told["base-uri"], told["frame-ancestors"]) == ("'none'",) * 3
    # An operator's way back from a workspace leads to the platform's own host, which no *.host covers.
    assert configured.PLATFORM_URL in told["form-action"].split()


def test_admin_documentation_and_answers_to_programs_have_policies_of_their_own(acme: TenantView) -> None:
    client = Client(SERVER_NAME="localhost")
    admin = policy(client.get("/admin/login/"))
    # Acting in a member's name posts to the admin and ends on the workspace's host.
    assert "//*.localhost" in admin["form-action"]
    assert admin["script-src"] == "'self' 'unsafe-eval'"
    assert policy(client.get("/api/docs/"))["script-src"] == "'self'"
    assert policy(client.get("/api/v1/invoices")) == {"default-src": "'none'", "frame-ancestors": "'none'"}


@pytest.mark.parametrize("path", ["/sign-in/", "/clients/new/", "/admin/login/"])
def test_a_form_without_its_secret_is_refused_in_our_shape(acme: TenantView, path: str) -> None:
    for host in (acme.host, "localhost"):
        client = Client(SERVER_NAME=host, enforce_csrf_checks=True)
        answer = client.post(path, headers={"Accept-Language": "de"})
        if answer.status_code != 404:
            assert answer.status_code == 403
            assert "Diese Seite war zu lange offen" in answer.content.decode()
            assert "/static/" in answer.content.decode()


def test_what_a_person_saw_is_not_kept(acme: TenantView, browser_client: BrowserFor) -> None:
    assert browser_client(acme).get("/clients/").headers["Cache-Control"] == "private, no-store"


@pytest.fixture
def https(settings: Any) -> Any:
    """Production's demands, behind a proxy at 10.0.0.1."""
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^health"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    return settings


def test_https_is_demanded_and_remembered(https: Any, acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host, REMOTE_ADDR="10.0.0.1")
    plain = client.get("/sign-in/?next=/x")
    assert (plain.status_code, plain.headers["Location"]) == (301, f"https://{acme.host}/sign-in/?next=/x")
    safe = client.get("/sign-in/", headers={"X-Forwarded-Proto": "https"})
    assert safe.status_code == 200
    assert safe.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert "Strict-Transport-Security" not in plain.headers
    assert client.get("/health/live").status_code == 200


def test_programs_are_refused_instead_of_led_on(https: Any, acme: TenantView) -> None:
    client = Client(SERVER_NAME="localhost", REMOTE_ADDR="10.0.0.1")
    assert problem(client.get("/api/v1/me"), 403)["code"] == "https_required"


def test_a_stranger_cannot_claim_https(https: Any, acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host, REMOTE_ADDR="203.0.113.9")
    assert client.get("/sign-in/", headers={"X-Forwarded-Proto": "https"}).status_code == 301


def test_pages_of_listed_origins_may_call(settings: Any, acme: TenantView, api: ApiFor) -> None:
    settings.CORS_ALLOWED_ORIGINS = frozenset({OURS})
    program = api(acme)
    asked = program.options("/api/v1/clients", headers={"Origin": OURS, **ASK})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, OURS)
    assert "Idempotency-Key" in asked.headers["Access-Control-Allow-Headers"]
    called = program.get("/api/v1/clients", headers={"Origin": OURS})
    assert (called.status_code, called.headers["Access-Control-Allow-Origin"]) == (200, OURS)
    assert "Origin" in called.headers["Vary"] and "RateLimit" in called.headers["Access-Control-Expose-Headers"]
    for answer in (asked, called):
        assert "Access-Control-Allow-Credentials" not in answer.headers
    refused = Client(SERVER_NAME="localhost").get("/api/v1/clients", headers={"Origin": OURS})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, OURS)


@pytest.mark.parametrize("origin", [FOREIGN, "null", "*", "https://app.example.evil.example", "http://app.example", ""])
def test_pages_of_other_origins_may_not(settings: Any, acme: TenantView, origin: str) -> None:
    settings.CORS_ALLOWED_ORIGINS = frozenset({OURS})
    client = Client(SERVER_NAME="localhost")
    for answer in (
        client.options("/api/v1/clients", headers={"Origin": origin, **ASK}),
        client.get("/api/v1/clients", headers={"Origin": origin}),
    ):
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_pages_are_for_nobody_elses_pages(settings: Any, acme: TenantView) -> None:
    settings.CORS_ALLOWED_ORIGINS = frozenset({OURS})
    answer = Client(SERVER_NAME=acme.host).get("/sign-in/", headers={"Origin": OURS})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    client.get("/account/")
    assert client.cookies
    for name, cookie in client.cookies.items():
        assert (name, cookie["httponly"], cookie["samesite"], cookie["domain"]) == (name, True, "Lax", "")


def production(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in OF_TESTS},
        "DJANGO_SETTINGS_MODULE": "config.settings.prod",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "TRUSTED_PROXIES": "10.0.0.0/8,unix",
        **variables,
    }
    command = "import sys; from django.core.management import execute_from_command_line as run; run(sys.argv[:1] + %r)"
    names = ", ".join(f"s.{name}_COOKIE_NAME" for name in ("SESSION", "CSRF", "HANDOFF", "SSO", "LANGUAGE", "MESSAGES"))
    show = f"; from django.conf import settings as s; print({names}, s.SESSION_COOKIE_SECURE)"
    arguments = ["check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        [sys.executable, "-c", command % arguments + show],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_production_passes_the_checks_for_deployment() -> None:
    told = production()
    assert told.returncode == 0, told.stderr
    assert "no issues (2 silenced)" in told.stdout
    # Names that browsers accept from this host alone, and over HTTPS alone.
    assert "__Host-session __Host-csrf __Host-handoff __Host-sso __Host-language __Host-messages True" in told.stdout


def test_an_edge_that_stands_elsewhere_is_an_error(settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[1:], settings.MIDDLEWARE[0]]
    assert [found.id for found in checks.stands_first(None)] == ["edge.E001"]


@pytest.mark.parametrize(
    ("network", "code"), [("10.0.0.0/33", "edge.E002"), ("0.0.0.0/0", "edge.E003"), ("x", "edge.E002")]
)
def test_a_network_that_is_none_or_everybody_is_an_error(settings: Any, network: str, code: str) -> None:
    settings.TRUSTED_PROXIES = ["unix", network]
    assert [found.id for found in checks.networks_are_written_well(None)] == [code]


def test_https_without_a_known_proxy_is_warned_of(https: Any) -> None:
    assert checks.knows_its_proxy(None) == []
    https.TRUSTED_PROXIES = []
    assert [found.id for found in checks.knows_its_proxy(None)] == ["edge.W001"]


def test_an_origin_with_a_path_refuses_to_start() -> None:
    told = production(CORS_ALLOWED_ORIGINS="https://app.example/path")
    assert told.returncode != 0
    assert ImproperlyConfigured.__name__ in told.stderr and "is no origin" in told.stderr

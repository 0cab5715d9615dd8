"""What only we may say is taken off, ids are kept or made, and no header of any kind does harm."""

import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from apps.core import correlation, logs, tracing
from apps.edge import hygiene
from apps.edge.middleware import EdgeMiddleware
from apps.edge.requests import Utf8Request
from apps.tenancy.selectors import TenantView
from config.wsgi import application
from tests.fixtures.clients import ApiFor

TRACE = "0af7651916cd43dd8448eb211c80319c"
FORGED = {
    "X-User-ID": "7",
    "x_user_roles": "OWNER",
    "X-Tenant-Key": "globex",
    "X-Organization-ID": "7",
    "X-Plan-Code": "ENTERPRISE",
    "X-Audit-IP": "192.0.2.1",
}
OF_PROXIES = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https", "Forwarded": "for=x", "X-Real-IP": "x"}


def seen(peer: str = "203.0.113.9", **headers: str) -> dict[str, str]:
    """What the rest of the product sees of a request's headers."""

    def show(request: HttpRequest) -> HttpResponse:
        return HttpResponse(json.dumps({name.lower(): value for name, value in request.headers.items()}))

    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)
    found: dict[str, str] = json.loads(EdgeMiddleware(show)(request).content)  # type: ignore[attr-defined]
    return found


def test_nobody_says_for_us_who_he_is(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["203.0.113.0/24"]
    for peer in ("203.0.113.9", "198.51.100.9"):
        told = seen(peer, **FORGED, **{"X-Tenant-ID": "acme", "X-Request-Color": "red"})
        assert {name for name in told if name.startswith("x-")} == {"x-tenant-id", "x-request-color"}


def test_what_proxies_say_counts_from_proxies_alone(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["203.0.113.0/24"]
    assert seen("203.0.113.9", **OF_PROXIES).keys() >= {name.lower() for name in OF_PROXIES}
    assert not seen("198.51.100.9", **OF_PROXIES).keys() & {name.lower() for name in OF_PROXIES}


def test_sockets_are_cleaned_by_the_same_list() -> None:
    sent = [(name.lower().encode(), b"x") for name in (*FORGED, *OF_PROXIES, "X-Tenant-ID", "Cookie")]
    assert [name for name, _ in hygiene.kept(sent, believes_peer=False)] == [b"x-tenant-id", b"cookie"]
    assert (b"x-forwarded-for", b"x") in hygiene.kept(sent, believes_peer=True)


def test_a_sane_id_is_kept_and_a_trace_goes_on(db: None) -> None:
    headers = {"X-Correlation-ID": "order-7.A:b_c", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    answer = Client(SERVER_NAME="localhost").get("/health/live", headers=headers)
    assert answer.headers["X-Correlation-ID"] == "order-7.A:b_c"
    assert answer.headers["traceparent"].startswith(f"00-{TRACE}-")
    assert "b7ad6b7169203331" not in answer.headers["traceparent"]


def test_nothing_of_a_request_is_left_for_the_next() -> None:
    client = Client(SERVER_NAME="localhost")
    first, second = (client.get("/health/live") for _ in range(2))
    assert first.headers["X-Correlation-ID"] != second.headers["X-Correlation-ID"]
    assert first.headers["traceparent"][:35] != second.headers["traceparent"][:35]
    assert "route" not in logs.add_context(None, "", {})


HARMFUL = ["a\r\nSet-Cookie: x=1", "a\nb", "x" * 10_240, "ünï→", "\x00", "\x7f\x1b[31m", "", " ", "☃" * 5000]
NAMES = [
    *("X-Correlation-ID", "traceparent", "tracestate", "X-Tenant-ID", "User-Agent", "X-Forwarded-For", "Origin"),
    *("Accept-Language", "Referer", "Accept", "Idempotency-Key", "If-None-Match", "If-Match", "HX-Request"),
]


def test_no_value_of_a_header_does_harm(acme: TenantView, api: ApiFor) -> None:
    program, browser = api(acme), Client(SERVER_NAME=acme.host)
    for value in HARMFUL:
        for name in NAMES:
            answer = program.get("/api/v1/me", headers={name: value})
            assert answer.status_code in (200, 304, 400, 403, 406, 412), (name, value)
            assert correlation._SANE.fullmatch(answer.headers["X-Correlation-ID"]), (name, value)
            assert tracing._PARENT.fullmatch(answer.headers["traceparent"]), (name, value)
            assert all("\n" not in told and "\r" not in told for told in answer.headers.values()), (name, value)
        page = browser.get("/sign-in/", headers=dict.fromkeys(NAMES[:-3], value))
        assert page.status_code in (200, 406), value


@pytest.mark.parametrize(
    ("declared", "read"),
    [
        *((f"application/json; charset={name}", "application/json") for name in ("rot13", "undefined", "utf-16")),
        *((f"application/json; charset={name}", "application/json") for name in ("UTF-8", "utf8", "nobodys")),
        ("a/b; charset*=utf-8''punycode; x=1", "a/b"),
        ("A/b; x*=nobody''1; charset=rot13", "a/b"),
        ("multipart/form-data; boundary=b; charset=idna", "multipart/form-data"),
        ("text/plain", "text/plain"),
        ("", ""),
    ],
)
def test_text_is_utf8_whatever_the_header_says(declared: str, read: str) -> None:
    environ = RequestFactory()._base_environ(QUERY_STRING="q=Zo%C3%AB", CONTENT_TYPE=declared)  # type: ignore[attr-defined]
    request = Utf8Request(environ)
    assert (request.GET["q"], request.encoding, request.content_type) == ("Zo\u00eb", None, read)
    # As it may have been signed.
    assert request.META["CONTENT_TYPE"] == (read if "nobody''" in declared else declared)


def test_the_servers_application_reads_utf8() -> None:
    assert application.request_class is Utf8Request

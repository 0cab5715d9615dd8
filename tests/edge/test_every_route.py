"""Every route that exists, and every one that does not, has the edge without a line of its own."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.core import tracing
from apps.tenancy.default_workspace import default_workspace
from apps.tenancy.selectors import TenantView, forget_host
from tests.api.problem import problem

SAMPLES = {
    "uuid": str(UUID(int=7)),
    "int": "7",
    "slug": "sample",
    "str": "sample",
    "path": "sample",
    "digest": "a" * 64,
}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
UNKNOWN = ("no/such/route", "api/no/such/route", "api/v1/no-such", "admin/no/such/", "static/no-such.css", "%2e%2e/x")


def routes(urlconf: str) -> list[str]:
    return sorted({_filled(route) for route in _patterns(get_resolver(urlconf).url_patterns, "")} | {*UNKNOWN})


def _patterns(patterns: list[Any], before: str) -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def _filled(route: str) -> str:
    route = re.sub(r"\(\?P<\w+>[^)]*\)\$?", "sample", route)  # of the admin's last resort
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES.get(found[1] or "str", "sample"), route)


@pytest.fixture(params=["config.urls_public", "config.urls_tenant", "config.urls_single"])
def served(request: Any, acme: TenantView, settings: Any) -> tuple[Client, list[str]]:
    """A stranger's client on a host, and every path below it."""
    host = settings.PLATFORM_HOST
    if request.param == "config.urls_tenant":
        host = acme.host
    if request.param == "config.urls_single":
        settings.ROLLOUT_MODE, settings.DEFAULT_WORKSPACE_KEY = "SINGLE_TENANT", acme.key
        default_workspace()
        forget_host(host)
    paths = routes(request.param)
    assert len(paths) > 60
    if request.param == "config.urls_single":
        # The same views under the same paths; a few show that the host makes no difference.
        assert {*paths} >= {*routes("config.urls_tenant")} - {""}
        paths = paths[::8]
    return Client(SERVER_NAME=host, raise_request_exception=False), paths


def has_the_edge(answer: Any, path: str) -> None:
    assert answer.status_code < 500, path
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value, (path, name)
    # Pages that stand behind a link from a letter say less than the others.
    assert answer.headers["Referrer-Policy"] in ("strict-origin-when-cross-origin", "no-referrer"), path
    assert "camera=()" in answer.headers["Permissions-Policy"], path
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "default-src" in policy, path
    assert ("'unsafe-eval'" in policy) == path.startswith("/admin/"), path
    assert "script-src 'unsafe-inline'" not in policy, path
    assert answer.headers["X-Correlation-ID"] == "walk-1", path
    span = tracing.bind(answer.headers["traceparent"])
    assert (span.trace_id, span.parent_id == "b7ad6b7169203331") == (PARENT[3:35], False), path


def test_every_route_has_it(served: tuple[Client, list[str]]) -> None:
    client, paths = served
    headers = {"X-Correlation-ID": "walk-1", "traceparent": PARENT}
    for path in paths:
        answer = client.get(f"/{path}", headers=headers)
        has_the_edge(answer, f"/{path}")
        if path.startswith("api/") and answer.status_code >= 400:
            problem(answer, 400, 401, 403, 404, 405)
        if path.startswith("api/v1/"):
            assert answer.headers["Cache-Control"] in ("no-store", "private, no-store") or answer.status_code < 400, (
                path
            )


def test_no_route_reads_a_body_that_is_too_large(served: tuple[Client, list[str]]) -> None:
    client, paths = served
    headers = {"X-Correlation-ID": "walk-1", "traceparent": PARENT}
    for path in paths:
        # One byte is sent; what is announced is refused.
        answer = client.generic(
            "POST", f"/{path}", b"{", content_type="application/json", CONTENT_LENGTH="3000000000", headers=headers
        )
        has_the_edge(answer, f"/{path}")
        assert answer.status_code == 413, path
        if path.startswith("api/"):
            assert problem(answer, 413)["code"] == "body_too_large"

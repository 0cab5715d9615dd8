"""The live socket over a real process: who may listen, and what he may say."""

from collections.abc import Callable

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from apps.notifications.consumers import AUTH_SECONDS, MAX_MESSAGE, MAX_MESSAGES_A_MINUTE
from apps.notifications.models import Notification
from apps.tenancy.selectors import TenantView
from tests.factories.notifications import tell
from tests.notifications.conftest import Realtime, announce, close_code, heard, say


def test_a_browser_listens_by_its_session(realtime: Realtime, tenant: TenantView, session: Callable[..., str]) -> None:
    tell(tenant, "Before")
    origin = f"http://{tenant.host}:8000"
    with realtime.open(tenant.host, cookie=session(tenant), origin=origin) as opened:
        assert heard(opened) == {"type": "hello", "cursor": 1, "unread": 1}
        announce(tenant, "Live")
        message = heard(opened)
    row = Notification.objects.get(title="Live")
    assert message == {
        "type": "notification",
        "id": str(row.id),
        "cursor": 2,
        "kind": "WELCOME",
        "level": "INFO",
        "title": "Live",
        "body": "",
        "url": "",
        "unread": 2,
        "created_at": row.created_at.isoformat(),
    }


def test_a_program_listens_by_its_token(realtime: Realtime, tenant: TenantView, token: Callable[..., str]) -> None:
    with realtime.open("localhost", cursor=0) as opened:
        say(opened, type="auth", access=token(tenant))
        assert heard(opened)["type"] == "hello"
        announce(tenant, "Live")
        assert heard(opened)["title"] == "Live"


@pytest.mark.parametrize("access", ["nonsense", "a.b.c", 5, None, {"a": 1}, ""])
def test_a_bad_token_is_refused(realtime: Realtime, standing: TenantView, access: object) -> None:
    with realtime.open(standing.host) as opened:
        say(opened, type="auth", access=access)
        assert close_code(opened) in (4400, 4401)


def test_a_token_counts_only_on_its_own_tenants_host(
    realtime: Realtime, tenant: TenantView, neighbour: TenantView, token: Callable[..., str]
) -> None:
    with realtime.open(neighbour.host) as opened:
        say(opened, type="auth", access=token(tenant))
        assert close_code(opened) == 4401


def test_a_session_counts_only_on_its_own_tenants_host(
    realtime: Realtime, tenant: TenantView, neighbour: TenantView, session: Callable[..., str]
) -> None:
    with realtime.open(neighbour.host, cookie=session(tenant)) as opened:
        say(opened, type="ping")
        assert close_code(opened) == 4401


def test_without_credentials_it_closes_after_a_while(realtime: Realtime, tenant: TenantView) -> None:
    with realtime.open(tenant.host, cookie="unknown") as opened:
        with pytest.raises(TimeoutError):
            opened.recv(timeout=AUTH_SECONDS / 5)
        assert close_code(opened) == 4401


@pytest.mark.parametrize("origin", ["https://evil.test", "http://localhost.evil.test", "null", "http://[", "http://"])
def test_foreign_pages_cannot_open_one(realtime: Realtime, standing: TenantView, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, realtime.open(standing.host, origin=origin):
        pytest.fail("the handshake must be refused")
    assert refused.value.response.status_code == 403


def test_another_tenants_page_cannot_ride_on_the_cookie(
    realtime: Realtime, tenant: TenantView, neighbour: TenantView, session: Callable[..., str]
) -> None:
    with realtime.open(tenant.host, cookie=session(tenant), origin=f"http://{neighbour.host}:8000") as opened:
        say(opened, type="ping")
        assert close_code(opened) == 4401


def test_other_paths_do_not_exist(realtime: Realtime, standing: TenantView) -> None:
    for path in ("/", "/ws/", "/ws/notifications", "/ws/notifications/x/"):
        with pytest.raises(InvalidStatus), realtime.open(standing.host, path=path):
            pytest.fail("the handshake must be refused")
    for path, status in (("/health/live", 200), ("/", 404), ("/ws/notifications/", 404), ("/admin/", 404)):
        assert httpx.get(f"http://127.0.0.1:{realtime.port}{path}").status_code == status


def test_malformed_messages_close_the_socket(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str]
) -> None:
    cookie = session(tenant)
    for text in ("", "nonsense", "[]", "5", "null", '{"a":1}', "[" * 5000, "\ud7ff{"):
        with realtime.open(tenant.host, cookie=cookie) as opened:
            heard(opened)
            opened.send(text)
            assert close_code(opened) == 4400, text


def test_unknown_messages_are_answered(realtime: Realtime, tenant: TenantView, session: Callable[..., str]) -> None:
    with realtime.open(tenant.host, cookie=session(tenant)) as opened:
        heard(opened)
        for kind in ("surprise", "", 5, None, ["auth"]):
            say(opened, type=kind)
            assert heard(opened) == {"type": "error", "code": "unknown_message"}


def test_long_and_binary_messages_close_the_socket(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str]
) -> None:
    cookie = session(tenant)
    for message, code in (("x" * (MAX_MESSAGE + 1), 1009), (b"{}", 4400), (b"\xff" * (MAX_MESSAGE + 1), 1009)):
        with realtime.open(tenant.host, cookie=cookie) as opened:
            heard(opened)
            opened.send(message)
            assert close_code(opened) == code


def test_a_chatterbox_is_cut_off(realtime: Realtime, tenant: TenantView, session: Callable[..., str]) -> None:
    with realtime.open(tenant.host, cookie=session(tenant)) as opened:
        heard(opened)
        for _ in range(MAX_MESSAGES_A_MINUTE + 1):
            say(opened, type="ping")
        assert close_code(opened) == 1008

"""The live socket over a real process: who may listen, what he hears, in which order, whatever breaks."""

from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import httpx
import pytest
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from apps.iam.models import Membership, MembershipStatus
from apps.notifications import push, selectors
from apps.notifications.consumers import AUTH_SECONDS, BATCH, MAX_MESSAGE, MAX_MESSAGES_A_MINUTE
from apps.notifications.models import Notification
from apps.tenancy.selectors import TenantView
from tests.factories.notifications import tell, user_of
from tests.fixtures.tenants import PASSWORD, actor_of
from tests.fixtures.threads import at_once
from tests.notifications.conftest import NewTenant, Realtime, heard, say

BrowserFor = Callable[..., Client]


@pytest.fixture
def tenant(realtime: Realtime, committed: NewTenant) -> TenantView:
    return committed(f"Harbour {uuid4().hex[:6]}")


@pytest.fixture
def standing(realtime: Realtime, standing_tenants: tuple[TenantView, TenantView]) -> TenantView:
    """A host to knock at, for those who do not get in."""
    return standing_tenants[0]


@pytest.fixture
def neighbour(realtime: Realtime, committed: NewTenant) -> TenantView:
    return committed(f"Quay {uuid4().hex[:6]}")


@pytest.fixture
def session(browser_client: BrowserFor) -> Callable[..., str]:
    """``session(tenant, role)``: the session cookie of that member's browser."""
    return lambda tenant, role="OWNER": str(browser_client(tenant, role).cookies["sessionid"].value)


@pytest.fixture
def token(anonymous_api: APIClient) -> Callable[..., str]:
    """``token(tenant, role)``: that member's access token."""

    def of(tenant: TenantView, role: str = "OWNER") -> str:
        body = {"email": f"{role.lower()}@{tenant.slug}.test", "password": PASSWORD, "tenant": tenant.key}
        return str(anonymous_api.post("/api/v1/auth/signin", body).json()["access"])

    return of


def announce(tenant: TenantView, title: str, roles: tuple[str, ...] = ("OWNER",)) -> None:
    """What a handler does: tell in a transaction, push when it commits."""
    with transaction.atomic():
        push.poke(tenant.id, tell(tenant, title, roles=roles))


def close_code(opened: ClientConnection) -> int | None:
    """The code with which the server closes; what it says before is skipped."""
    try:
        while True:
            heard(opened)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


# -- who may listen ---------------------------------------------------------------------------------------------------


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


# -- what he hears ----------------------------------------------------------------------------------------------------


def test_nobody_hears_what_is_for_others(
    realtime: Realtime, tenant: TenantView, neighbour: TenantView, session: Callable[..., str]
) -> None:
    with (
        realtime.open(tenant.host, cookie=session(tenant, "VIEWER")) as viewer,
        realtime.open(neighbour.host, cookie=session(neighbour)) as stranger,
    ):
        assert heard(viewer)["type"] == heard(stranger)["type"] == "hello"
        announce(tenant, "For the owner")
        announce(tenant, "For both", ("OWNER", "VIEWER"))
        announce(neighbour, "Next door")
        assert heard(viewer)["title"] == "For both"
        assert heard(stranger)["title"] == "Next door"


def test_whoever_comes_back_gets_what_he_missed_once_and_in_order(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str]
) -> None:
    cookie = session(tenant)
    with realtime.open(tenant.host, cookie=cookie, cursor=0) as opened:
        heard(opened)
        announce(tenant, "No. 0")
        seen = heard(opened)["cursor"]
    for number in range(1, 6):
        announce(tenant, f"No. {number}")
    with realtime.open(tenant.host, cookie=cookie, cursor=seen) as opened:
        assert heard(opened) == {"type": "hello", "cursor": seen, "unread": 6}
        announce(tenant, "No. 6")
        told = [heard(opened) for _ in range(6)]
    assert [message["title"] for message in told] == [f"No. {number}" for number in range(1, 7)]
    assert [message["cursor"] for message in told] == list(range(seen + 1, seen + 7))


def test_many_at_once_come_once_each_and_in_order(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str]
) -> None:
    with (
        realtime.open(tenant.host, cookie=session(tenant)) as first,
        realtime.open(tenant.host, cookie=session(tenant)) as second,
    ):
        assert heard(first)["type"] == heard(second)["type"] == "hello"
        assert not [r for r in at_once([partial(announce, tenant, f"No. {n}") for n in range(10)]) if r]
        for opened in (first, second):
            assert [heard(opened)["cursor"] for _ in range(10)] == list(range(1, 11))
            say(opened, type="ping")
            assert heard(opened) == {"type": "pong", "cursor": 10}


def test_a_client_far_behind_asks_for_more(realtime: Realtime, tenant: TenantView, session: Callable[..., str]) -> None:
    for number in range(BATCH + 5):
        tell(tenant, f"No. {number}")
    with realtime.open(tenant.host, cookie=session(tenant), cursor=0) as opened:
        heard(opened)
        assert [heard(opened)["cursor"] for _ in range(BATCH)] == list(range(1, BATCH + 1))
        assert heard(opened) == {"type": "more", "cursor": BATCH}
        say(opened, type="next")
        assert [heard(opened)["cursor"] for _ in range(5)] == list(range(BATCH + 1, BATCH + 6))


def test_a_cursor_from_the_future_is_the_latest(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str]
) -> None:
    tell(tenant)
    cookie = session(tenant)
    for cursor in (99, 10**25):
        with realtime.open(tenant.host, cookie=cookie, cursor=cursor) as opened:
            assert heard(opened)["cursor"] == 1


@pytest.mark.parametrize("cursor", ["-1", "x", "1.5", "٣", "1" * 31, "1 or 1=1"])
def test_a_cursor_that_is_none_is_refused(realtime: Realtime, standing: TenantView, cursor: str) -> None:
    with realtime.open(standing.host, cursor=cursor) as opened:
        assert close_code(opened) == 4400


def test_reading_reaches_all_of_ones_windows(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str]
) -> None:
    tell(tenant, roles=("OWNER", "ADMIN"))
    mine = Notification.objects.get(user_id=user_of(tenant))
    foreign = Notification.objects.get(user_id=user_of(tenant, "ADMIN"))
    with (
        realtime.open(tenant.host, cookie=session(tenant)) as first,
        realtime.open(tenant.host, cookie=session(tenant)) as second,
    ):
        assert heard(first)["unread"] == heard(second)["unread"] == 1
        for wrong in (str(foreign.id), str(uuid4()), "nonsense", None, 5):
            say(first, type="read", id=wrong)
            assert heard(first) == {"type": "error", "code": "not_found"}
        say(first, type="read", id=str(mine.id))
        for opened in (first, second):
            assert heard(opened) == {"type": "unread", "cursor": 1, "unread": 0}
    foreign.refresh_from_db()
    assert foreign.read_at is None


def test_what_the_api_reads_is_heard_too(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str], api: Callable[..., APIClient]
) -> None:
    tell(tenant)
    with realtime.open(tenant.host, cookie=session(tenant)) as opened:
        assert heard(opened)["unread"] == 1
        assert api(tenant).patch("/api/v1/notifications", {"is_read": True}).status_code == 204
        assert heard(opened) == {"type": "unread", "cursor": 1, "unread": 0}


# -- bad input --------------------------------------------------------------------------------------------------------


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


# -- what changes meanwhile -------------------------------------------------------------------------------------------


def test_a_removed_member_hears_nothing_more(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str]
) -> None:
    with realtime.open(tenant.host, cookie=session(tenant, "ADMIN")) as opened:
        heard(opened)
        user_id = user_of(tenant, "ADMIN")
        tell(tenant, "Too late", roles=("ADMIN",))
        Membership.objects.filter(user_id=user_id, tenant_id=tenant.id).update(status=MembershipStatus.REMOVED)
        poke(tenant, user_id)
        with pytest.raises(ConnectionClosed) as closed:
            heard(opened)
    assert closed.value.rcvd and closed.value.rcvd.code == 4401


def test_a_signed_out_browser_hears_nothing_more(
    realtime: Realtime, tenant: TenantView, browser_client: BrowserFor
) -> None:
    browser = browser_client(tenant)
    with realtime.open(tenant.host, cookie=str(browser.cookies["sessionid"].value)) as opened:
        heard(opened)
        assert browser.post("/sign-out/").status_code == 302
        announce(tenant, "Too late")
        with pytest.raises(ConnectionClosed) as closed:
            heard(opened)
    assert closed.value.rcvd and closed.value.rcvd.code == 4401


def test_a_fresh_token_prolongs_and_another_persons_does_not(
    realtime: Realtime, tenant: TenantView, token: Callable[..., str]
) -> None:
    with realtime.open("localhost") as opened:
        say(opened, type="auth", access=token(tenant))
        heard(opened)
        say(opened, type="auth", access=token(tenant))
        say(opened, type="ping")
        assert heard(opened)["type"] == "pong"
        say(opened, type="auth", access=token(tenant, "ADMIN"))
        assert close_code(opened) == 4403


def test_a_lost_push_is_made_good_by_a_ping(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str]
) -> None:
    with realtime.open(tenant.host, cookie=session(tenant)) as opened:
        heard(opened)
        tell(tenant, "Never pushed")
        say(opened, type="ping")
        assert heard(opened)["title"] == "Never pushed"
        assert heard(opened)["type"] == "pong"


def test_valkey_restarted(realtime: Realtime, tenant: TenantView, session: Callable[..., str]) -> None:
    cookie = session(tenant)
    with realtime.open(tenant.host, cookie=cookie) as opened:
        assert heard(opened)["cursor"] == 0
        assert realtime.valkey.process
        realtime.valkey.process.kill()
        realtime.valkey.process.wait(10)
        assert close_code(opened) == 1013, "the client is asked to come again"

    announce(tenant, "Nobody could be pushed to")
    assert selectors.unread_count(actor=actor_of(tenant)) == 1, "nothing else fails"

    realtime.valkey.start()
    realtime.valkey.wait_ready()
    announce(tenant, "Pushed again")
    assert until_live(realtime, tenant, cookie) == ["Nobody could be pushed to", "Pushed again", "Live again"]


def test_whoever_comes_while_valkey_is_away_gets_what_is_stored(
    realtime: Realtime, tenant: TenantView, session: Callable[..., str]
) -> None:
    cookie = session(tenant)
    tell(tenant, "Stored")
    assert realtime.valkey.process
    realtime.valkey.process.kill()
    realtime.valkey.process.wait(10)
    with realtime.open(tenant.host, cookie=cookie, cursor=0) as opened:
        assert heard(opened)["type"] == "hello"
        assert heard(opened)["title"] == "Stored"
        assert close_code(opened) == 1013


def test_quiet_is_not_taken_for_a_failure(realtime: Realtime, tenant: TenantView, session: Callable[..., str]) -> None:
    with realtime.open(tenant.host, cookie=session(tenant)) as opened:
        heard(opened)
        # Longer than any wait of the layer for its next message.
        with pytest.raises(TimeoutError):
            opened.recv(timeout=6)
        announce(tenant, "After a while")
        assert heard(opened)["title"] == "After a while"


def until_live(realtime: Realtime, tenant: TenantView, cookie: str) -> list[str]:
    """Come back as a browser does, again and again, until a push arrives live; everything that was heard."""
    cursor, titles = 0, list[str]()
    for _ in range(20):
        try:
            with realtime.open(tenant.host, cookie=cookie, cursor=cursor) as opened:
                heard(opened)
                say(opened, type="ping")
                while (message := heard(opened))["type"] != "pong":
                    titles.append(message["title"])
                    cursor = message["cursor"]
                announce(tenant, "Live again")
                titles.append(heard(opened)["title"])
                return titles
        except ConnectionClosed:
            continue
    return titles


def poke(tenant: TenantView, user_id: UUID) -> None:
    with transaction.atomic():
        push.poke(tenant.id, [user_id])

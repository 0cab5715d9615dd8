"""What a listener hears over the live socket, and in which order."""

from collections.abc import Callable
from functools import partial
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.notifications.consumers import BATCH
from apps.notifications.models import Notification
from apps.tenancy.selectors import TenantView
from tests.factories.notifications import tell, user_of
from tests.fixtures.threads import at_once
from tests.notifications.conftest import Realtime, announce, close_code, heard, say


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

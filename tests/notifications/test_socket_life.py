"""What becomes of an open socket when its workspace, its member, its credentials or Valkey change."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import transaction
from websockets.exceptions import ConnectionClosed

from apps.core.actor import system
from apps.iam.models import Membership, MembershipStatus
from apps.notifications import push, selectors
from apps.tenancy import deleting, services
from apps.tenancy.selectors import TenantView
from tests.factories.notifications import tell, user_of
from tests.fixtures.tenants import actor_of
from tests.notifications.conftest import BrowserFor, Realtime, announce, close_code, heard, say


def test_suspended_active_again_and_deleted(realtime: Realtime, tenant: TenantView, browser_client: BrowserFor) -> None:
    cookie = str(browser_client(tenant, "VIEWER").cookies["sessionid"].value)
    platform = system(tenant.id)
    with realtime.open(tenant.host, cookie=cookie) as opened:
        assert heard(opened)["type"] == "hello"
        services.suspend_tenant(actor=platform, tenant_id=tenant.id)
        assert heard(opened) == {"type": "workspace", "cursor": 0, "status": "SUSPENDED"}
        services.reactivate_tenant(actor=platform, tenant_id=tenant.id)
        assert heard(opened) == {"type": "workspace", "cursor": 0, "status": "ACTIVE"}
        deleting.delete_tenant(actor=platform, tenant_id=tenant.id)
        with pytest.raises(ConnectionClosed) as closed:
            heard(opened)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


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

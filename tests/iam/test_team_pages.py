"""The team's pages: looking, inviting, roles, bans, a new owner."""

import pytest
from django.core import mail

from apps.iam.models import Invitation, Membership
from apps.tenancy.selectors import TenantView
from tests.factories.iam import person
from tests.fixtures.clients import BrowserFor
from tests.iam.mailbox import RunTasks


def _row(tenant: TenantView, role: str) -> Membership:
    return Membership.objects.get(tenant_id=tenant.id, user__email=f"{role.lower()}@{tenant.slug}.test")


def test_search_and_filter(acme: TenantView, browser_client: BrowserFor) -> None:
    person(acme, email="zoe@acme.test", first_name="Zoe")
    client = browser_client(acme)

    found = client.get("/team/?q=zoe").content.decode()
    assert ("zoe@acme.test" in found, "viewer@acme.test" in found) == (True, False)
    assert "No member matches" in client.get("/team/?status=BANNED").content.decode()
    assert client.get("/team/?q=%00&role=%00&status=%00").status_code == 200
    fragment = client.get("/team/?q=zoe", HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in fragment


def test_invite_send_again_and_revoke(acme: TenantView, browser_client: BrowserFor, run_tasks: RunTasks) -> None:
    client = browser_client(acme)
    with run_tasks():
        assert client.post("/team/", {"email": "guest@new.test", "role": "VIEWER"}).status_code == 302
    row = Invitation.objects.get(email="guest@new.test")
    assert "guest@new.test" in client.get("/team/").content.decode()
    again = client.post("/team/", {"email": "guest@new.test", "role": "VIEWER"})
    assert (again.status_code, "invited already" in again.content.decode()) == (409, True)

    with run_tasks():
        client.post(f"/team/invitations/{row.id}/resend/")
    assert len(mail.outbox) == 2
    client.post(f"/team/invitations/{row.id}/revoke/")
    assert "guest@new.test" not in client.get("/team/").content.decode().split("<main")[1].split("toast")[0]


def test_nobody_is_offered_what_he_may_not_do(acme: TenantView, browser_client: BrowserFor) -> None:
    admin, member = browser_client(acme, "ADMIN"), browser_client(acme, "MEMBER")
    owner_page, viewer_page = f"/team/{_row(acme, 'OWNER').id}/", f"/team/{_row(acme, 'VIEWER').id}/"

    assert "Transfer ownership" not in admin.get(viewer_page).content.decode()
    assert "remove/" not in admin.get(owner_page).content.decode()
    assert "remove/" in admin.get(viewer_page).content.decode()
    assert "remove/" not in member.get(viewer_page).content.decode()
    assert 'id="invite"' not in member.get("/team/").content.decode()
    shown = " ".join(admin.get(viewer_page).content.decode().split())
    assert 'value="ACCOUNTANT" disabled' in shown
    assert "Nobody grants what he lacks: Close and reopen periods." in shown


def test_role_ban_and_removal(acme: TenantView, browser_client: BrowserFor) -> None:
    client, row = browser_client(acme), _row(acme, "VIEWER")
    path = f"/team/{row.id}"

    client.post(f"{path}/", {"builtin": "ACCOUNTANT"})
    client.post(f"{path}/ban/", {"reason": "On leave", "days": "7"})
    row.refresh_from_db()
    assert (row.role, row.status, row.ban_reason, row.banned_until is not None) == (
        "ACCOUNTANT",
        "BANNED",
        "On leave",
        True,
    )
    assert "On leave" in client.get(f"{path}/").content.decode()
    client.post(f"{path}/unban/")
    client.post(f"{path}/remove/")
    row.refresh_from_db()
    assert row.status == "REMOVED"
    assert client.get(f"{path}/").status_code == 404


def test_refusals_are_told(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    answer = client.post(f"/team/{_row(acme, 'OWNER').id}/remove/", follow=True)

    assert "The last owner stays" in answer.content.decode()
    assert _row(acme, "OWNER").status == "ACTIVE"


def test_the_ownership_moves(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    client.post(f"/team/{_row(acme, 'ADMIN').id}/transfer/")

    assert (_row(acme, "ADMIN").role, _row(acme, "OWNER").role) == ("OWNER", "MEMBER")


@pytest.mark.parametrize("verb", ["", "ban/", "unban/", "remove/", "transfer/"])
def test_another_tenants_member_does_not_exist(
    acme: TenantView, globex: TenantView, browser_client: BrowserFor, verb: str
) -> None:
    row = _row(globex, "VIEWER")
    browser_client(acme).post(f"/team/{row.id}/{verb}", {"builtin": "MEMBER"})

    row.refresh_from_db()
    assert (row.role, row.status) == ("VIEWER", "ACTIVE")

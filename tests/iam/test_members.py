"""Members: who may act upon whom, bans, leaving, a new owner, and an owner who always remains."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.clock import utcnow
from apps.core.errors import DomainError
from apps.iam import services
from apps.iam.models import Membership, MembershipStatus, User
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.factories.iam import PASSWORD, operator, person
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import NewTenant, actor_of
from tests.iam.mailbox import RunTasks, mails_to
from tests.iam.threads import at_once

PATH = "/api/v1/members"


def _id(tenant: TenantView, role: str) -> UUID:
    return Membership.objects.get(tenant_id=tenant.id, user__email=f"{role.lower()}@{tenant.slug}.test").id


def _owners(tenant: TenantView) -> int:
    return Membership.objects.filter(tenant_id=tenant.id, role="OWNER", status=MembershipStatus.ACTIVE).count()


def test_another_role(acme: TenantView, api: ApiFor) -> None:
    client = api(acme)
    answer = client.patch(f"{PATH}/{_id(acme, 'MEMBER')}", {"roles": ["ACCOUNTANT"]}, format="json")

    assert answer.json()["roles"] == ["ACCOUNTANT"]
    entry = AuditEntry.objects.filter(action="iam.membership.change_role").latest("id")
    assert (entry.before, entry.after) == ({"roles": ["MEMBER"]}, {"roles": ["ACCOUNTANT"]})


@pytest.mark.parametrize(
    ("by", "target", "role", "status"),
    [
        ("OWNER", "ADMIN", "VIEWER", 200),
        ("OWNER", "MEMBER", "OWNER", 403),
        ("OWNER", "MEMBER", "GOD", 400),
        ("ADMIN", "OWNER", "MEMBER", 403),
        ("ADMIN", "MEMBER", "ADMIN", 403),
        ("ADMIN", "MEMBER", "ACCOUNTANT", 403),  # holds ledger:close, which admins lack
        ("ADMIN", "ACCOUNTANT", "VIEWER", 200),
        ("ADMIN", "ADMIN", "MEMBER", 200),  # himself
        ("MEMBER", "VIEWER", "MEMBER", 403),
    ],
)
def test_who_may_give_which_role(acme: TenantView, api: ApiFor, by: str, target: str, role: str, status: int) -> None:
    answer = api(acme, by).patch(f"{PATH}/{_id(acme, target)}", {"roles": [role]}, format="json")
    assert answer.status_code == status


def test_admins_do_not_touch_each_other_or_the_owner(acme: TenantView, api: ApiFor) -> None:
    user_id, _ = person(acme, "ADMIN")
    other, owner = Membership.objects.get(user_id=user_id).id, _id(acme, "OWNER")
    client = api(acme, "ADMIN")

    for path in (f"{PATH}/{other}", f"{PATH}/{owner}"):
        assert client.delete(path).status_code == 403
        assert client.post(f"{path}/ban").status_code == 403


def test_another_tenants_members_do_not_exist(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    client, other = api(acme), _id(globex, "MEMBER")

    assert client.patch(f"{PATH}/{other}", {"roles": ["VIEWER"]}, format="json").status_code == 404
    assert client.delete(f"{PATH}/{other}").status_code == 404
    for verb in ("ban", "unban", "transfer-ownership"):
        assert client.post(f"{PATH}/{other}/{verb}").status_code == 404


def test_a_ban_ends_the_sessions_here_and_only_here(
    acme: TenantView, globex: TenantView, api: ApiFor, anonymous_api: APIClient
) -> None:
    user_id, email = person(acme)
    person(globex, email=email)
    tokens = {}
    for tenant in (acme, globex):
        body = {"email": email, "password": PASSWORD, "tenant": tenant.key}
        tokens[tenant.key] = anonymous_api.post("/api/v1/auth/signin", body).json()["access"]
    row = Membership.objects.get(user_id=user_id, tenant_id=acme.id)
    client = api(acme)

    banned = client.post(f"{PATH}/{row.id}/ban", {"reason": "Left the firm"}).json()
    assert (banned["status"], banned["ban_reason"], banned["banned_until"]) == ("BANNED", "Left the firm", None)

    def status(key: str) -> int:
        return anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {tokens[key]}").status_code

    assert (status(acme.key), status(globex.key)) == (401, 200)
    body = {"email": email, "password": PASSWORD, "tenant": acme.key}
    assert problem(anonymous_api.post("/api/v1/auth/signin", body), 403)["code"] == "not_a_member"
    assert client.post(f"{PATH}/{row.id}/unban").json()["status"] == "ACTIVE"
    assert status(acme.key) == 401
    assert anonymous_api.post("/api/v1/auth/signin", body).status_code == 200
    assert problem(client.post(f"{PATH}/{row.id}/unban"), 409)["code"] == "illegal_state"


def test_a_ban_runs_out_by_itself(acme: TenantView, anonymous_api: APIClient) -> None:
    user_id, email = person(acme)
    row = Membership.objects.get(user_id=user_id)
    services.ban_member(actor=actor_of(acme), membership_id=row.id, until=utcnow() + timedelta(hours=1))
    body = {"email": email, "password": PASSWORD, "tenant": acme.key}
    assert anonymous_api.post("/api/v1/auth/signin", body).status_code == 403

    Membership.objects.filter(pk=row.id).update(banned_until=utcnow() - timedelta(seconds=1))
    access = anonymous_api.post("/api/v1/auth/signin", body).json()["access"]
    assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 200
    assert services.lift_expired_bans() == 1
    row.refresh_from_db()
    assert (row.status, row.banned_until) == (MembershipStatus.ACTIVE, None)


def test_a_ban_in_the_past_and_of_oneself_are_refused(acme: TenantView, api: ApiFor) -> None:
    client = api(acme)
    past = client.post(f"{PATH}/{_id(acme, 'VIEWER')}/ban", {"expires_at": "2020-01-01T00:00:00Z"})

    assert problem(past, 400)["errors"][0]["code"] == "in_the_past"
    assert client.post(f"{PATH}/{_id(acme, 'OWNER')}/ban").status_code == 403


def test_removing_ends_the_sessions(acme: TenantView, api: ApiFor, browser_client: BrowserFor) -> None:
    token, browser = api(acme, "VIEWER"), browser_client(acme, "VIEWER")
    row = _id(acme, "VIEWER")

    assert api(acme).delete(f"{PATH}/{row}").status_code == 204
    assert token.get("/api/v1/me").status_code == 401
    assert browser.get("/").status_code == 302
    assert api(acme).delete(f"{PATH}/{row}").status_code == 404


def test_leaving(acme: TenantView, api: ApiFor) -> None:
    client = api(acme, "VIEWER")

    assert client.delete("/api/v1/me/membership").status_code == 204
    assert client.get("/api/v1/me").status_code == 401
    assert AuditEntry.objects.filter(action="iam.membership.leave", tenant_id=acme.id).exists()


def test_the_last_owner_stays(acme: TenantView, api: ApiFor) -> None:
    client, row = api(acme), _id(acme, "OWNER")

    assert problem(client.delete("/api/v1/me/membership"), 409)["code"] == "last_owner"
    assert problem(client.delete(f"{PATH}/{row}"), 409)["code"] == "last_owner"
    demoted = client.patch(f"{PATH}/{row}", {"roles": ["ADMIN"]}, format="json")
    assert problem(demoted, 409)["code"] == "last_owner"


def test_an_owner_who_cannot_enter_does_not_count(acme: TenantView, api: ApiFor) -> None:
    user_id, _ = person(acme, "OWNER")
    User.objects.filter(pk=user_id).update(is_active=False)

    assert problem(api(acme).delete("/api/v1/me/membership"), 409)["code"] == "last_owner"


def test_ownership_moves(acme: TenantView, api: ApiFor, run_tasks: RunTasks) -> None:
    client = api(acme)
    with run_tasks():
        answer = client.post(f"{PATH}/{_id(acme, 'VIEWER')}/transfer-ownership")

    assert answer.json()["roles"] == ["OWNER"]
    assert client.get("/api/v1/me").json()["roles"] == ["MEMBER"]
    assert client.post(f"{PATH}/{_id(acme, 'ADMIN')}/transfer-ownership").status_code == 403
    assert mails_to("owner@acme.test")
    assert mails_to("viewer@acme.test")
    assert {message.subject for message in mail.outbox} == {"Acme has a new owner"}


def test_ownership_goes_to_somebody_who_may_enter(acme: TenantView, api: ApiFor) -> None:
    client, row = api(acme), _id(acme, "VIEWER")
    client.post(f"{PATH}/{row}/ban")

    assert client.post(f"{PATH}/{row}/transfer-ownership").status_code == 409
    assert client.post(f"{PATH}/{_id(acme, 'OWNER')}/transfer-ownership").status_code == 409


def test_an_operator_bans_everywhere(acme: TenantView, api: ApiFor, anonymous_api: APIClient) -> None:
    user_id, email = person(acme)
    body = {"email": email, "password": PASSWORD}
    access = anonymous_api.post("/api/v1/auth/signin", body).json()["access"]
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    client.post("/admin/login/", {"username": operator(), "password": PASSWORD})
    path = f"/admin/iam/user/{user_id}/confirm"

    assert "Until (UTC)" in client.get(f"{path}/ban/").content.decode()
    client.post(f"{path}/ban/", {"reason": "Fraud", "until": ""})
    assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 401
    assert problem(anonymous_api.post("/api/v1/auth/signin", body), 403)["code"] == "account_banned"
    client.post(f"{path}/unban/")
    assert anonymous_api.post("/api/v1/auth/signin", body).status_code == 200
    actions = AuditEntry.objects.filter(entity_id=str(user_id)).values_list("action", flat=True)
    assert {"iam.user.ban", "iam.user.unban"} <= set(actions)


def test_operators_who_only_read_ban_nobody(acme: TenantView) -> None:
    user_id, _ = person(acme)
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    client.post("/admin/login/", {"username": operator("PLATFORM_SUPPORT"), "password": PASSWORD})
    client.post(f"/admin/iam/user/{user_id}/confirm/ban/", {"reason": "Fraud"})

    assert not User.objects.get(pk=user_id).is_banned


def _attempt(work: "object") -> str:
    try:
        work()  # type: ignore[operator]
    except DomainError as error:
        return error.code
    return "done"


def test_of_two_transfers_at_once_one_wins(committed: NewTenant) -> None:
    tenant = committed("Heirhouse")
    actor, heirs = actor_of(tenant), [_id(tenant, "ADMIN"), _id(tenant, "MEMBER")]

    answers = at_once(2, lambda n: _attempt(lambda: services.transfer_ownership(actor=actor, membership_id=heirs[n])))

    assert sorted(answers) == ["done", "permission_refused"]
    assert _owners(tenant) == 1
    assert Membership.objects.get(pk=_id(tenant, "OWNER")).role == "MEMBER"


@pytest.mark.parametrize("way", ["leave", "remove", "demote", "ban"])
def test_two_owners_who_go_at_once_leave_one(committed: NewTenant, way: str) -> None:
    tenant = committed(f"Ownerhouse {way}")
    services.ensure_member(email=f"admin@{tenant.slug}.test", password=PASSWORD, tenant_id=tenant.id, role="OWNER")
    actors = [actor_of(tenant, role) for role in ("OWNER", "ADMIN")]
    rows = [_id(tenant, role) for role in ("OWNER", "ADMIN")]

    def go(number: int) -> str:
        actor, other = actors[number], rows[1 - number]
        ways = {
            "leave": lambda: services.leave(actor=actor),
            "remove": lambda: services.remove_member(actor=actor, membership_id=other),
            "demote": lambda: services.change_roles(actor=actor, membership_id=other, roles=["MEMBER"]),
            "ban": lambda: services.ban_member(actor=actor, membership_id=other),
        }
        return _attempt(ways[way])

    answers = at_once(2, go)

    assert answers.count("done") == 1
    assert _owners(tenant) == 1

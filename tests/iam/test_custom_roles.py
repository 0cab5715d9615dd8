"""Roles of a tenant's own: what they allow counts at once, and nobody gives what he lacks."""

from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Actor
from apps.core.errors import DomainError, PermissionRefused
from apps.iam import assigned, selectors, services
from apps.iam.models import Invitation, Membership
from apps.iam.permission_labels import GROUPS
from apps.iam.permissions import ALL, CUSTOMISABLE, ROLE_PERMISSIONS
from apps.iam.role_models import RoleGrant
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.factories.iam import PASSWORD, person
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import NewTenant, actor_of
from tests.iam.threads import at_once

PATH = "/api/v1/roles"
READ = ["invoices:read", "clients:read"]


def _row(tenant: TenantView, role: str) -> Membership:
    return Membership.objects.get(tenant_id=tenant.id, user__email=f"{role.lower()}@{tenant.slug}.test")


def _made(tenant: TenantView, name: str, permissions: list[str], by: str = "OWNER") -> UUID:
    return UUID(services.create_role(actor=actor_of(tenant, by), name=name, permissions=permissions).id)


def _signed_in(api: APIClient, tenant: TenantView, email: str) -> str:
    body = {"email": email, "password": PASSWORD, "tenant": tenant.key}
    return str(api.post("/api/v1/auth/signin", body).json()["access"])


def test_every_permission_has_words_for_people() -> None:
    assert sorted(name for _group, rows in GROUPS for name, _label in rows) == sorted(ALL)


def test_a_role_is_made_changed_and_deleted(acme: TenantView, api: ApiFor) -> None:
    client = api(acme)
    made = client.post(PATH, {"name": " Night  desk ", "permissions": READ}, format="json")
    role = made.json()
    assert (made.status_code, role["name"], role["permissions"]) == (201, "Night desk", sorted(READ))

    listed = client.get(PATH).json()["data"]
    assert [row["name"] for row in listed] == ["OWNER", "ADMIN", "ACCOUNTANT", "MEMBER", "VIEWER", "Night desk"]
    assert listed[1]["is_builtin"] and listed[1]["members"] >= 1
    changed = client.patch(f"{PATH}/{role['id']}", {"permissions": ["invoices:read"]}, format="json")
    assert changed.json()["permissions"] == ["invoices:read"]
    assert client.get(f"{PATH}/ADMIN").json()["permissions"] == sorted(ROLE_PERMISSIONS["ADMIN"])
    assert client.delete(f"{PATH}/{role['id']}").status_code == 204
    assert client.get(f"{PATH}/{role['id']}").status_code == 404
    actions = AuditEntry.objects.filter(entity_id=role["id"]).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["iam.role.create", "iam.role.update", "iam.role.delete"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "", "permissions": READ}, "blank"),
        ({"name": "admin", "permissions": READ}, "reserved"),
        ({"name": "01a1fdb2-ea30-79c7-b343-d12703b2530a", "permissions": READ}, "reserved"),
        ({"name": "A, B", "permissions": READ}, "invalid"),
        ({"name": "Desk", "permissions": []}, "min_length"),
        ({"name": "Desk", "permissions": ["invoices:fly"]}, "unknown_permission"),
        ({"name": "Desk", "permissions": ["ownership:transfer"]}, "not_for_custom_roles"),
    ],
)
def test_what_no_role_can_be(acme: TenantView, api: ApiFor, body: dict[str, Any], code: str) -> None:
    assert problem(api(acme).post(PATH, body, format="json"), 400)["errors"][0]["code"] == code


def test_a_name_is_taken_in_any_letter_case_by_the_same_tenant_only(
    acme: TenantView, globex: TenantView, api: ApiFor
) -> None:
    _made(acme, "Night desk", READ)
    answer = api(acme).post(PATH, {"name": "NIGHT DESK", "permissions": READ}, format="json")
    assert problem(answer, 409)["code"] == "role_name_taken"
    assert api(globex).post(PATH, {"name": "Night desk", "permissions": READ}, format="json").status_code == 201


def test_built_in_roles_stay_as_they_are(acme: TenantView, api: ApiFor) -> None:
    client = api(acme)
    assert client.patch(f"{PATH}/VIEWER", {"permissions": READ}, format="json").status_code == 409
    assert client.delete(f"{PATH}/VIEWER").status_code == 409


def test_another_tenants_role_does_not_exist(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    theirs, client = _made(globex, "Theirs", READ), api(acme)
    member = _row(acme, "VIEWER").id

    assert client.get(f"{PATH}/{theirs}").status_code == 404
    assert client.patch(f"{PATH}/{theirs}", {"name": "Mine"}, format="json").status_code == 404
    assert client.delete(f"{PATH}/{theirs}").status_code == 404
    given_role = client.patch(f"/api/v1/members/{member}", {"roles": [str(theirs)]}, format="json")
    assert problem(given_role, 400)["errors"][0]["code"] == "unknown_role"
    invited = client.post("/api/v1/invitations", {"email": "a@b.test", "role": str(theirs)}, format="json")
    assert problem(invited, 400)["errors"][0]["code"] == "unknown_role"


def test_what_a_role_allows_counts_at_once(acme: TenantView, api: ApiFor, anonymous_api: APIClient) -> None:
    role = _made(acme, "Auditor", ["audit:read"])
    _user, email = person(acme, "VIEWER")
    member, owner = Membership.objects.get(user__email=email), api(acme)
    anonymous_api.credentials(HTTP_AUTHORIZATION=f"Bearer {_signed_in(anonymous_api, acme, email)}")
    assert anonymous_api.get("/api/v1/audit").status_code == 403

    body = {"roles": ["VIEWER", "auditor"]}
    assert owner.patch(f"/api/v1/members/{member.id}", body, format="json").json()["roles"] == ["VIEWER", "Auditor"]
    assert anonymous_api.get("/api/v1/audit").status_code == 200
    me = anonymous_api.get("/api/v1/me").json()
    assert me["roles"] == ["VIEWER", "Auditor"] and "audit:read" in me["permissions"]

    services.update_role(actor=actor_of(acme), role_id=role, permissions=["ledger:read"])
    assert anonymous_api.get("/api/v1/audit").status_code == 403
    assert anonymous_api.get("/api/v1/ledger/accounts").status_code == 200
    # Custom roles alone: not even what a viewer may.
    owner.patch(f"/api/v1/members/{member.id}", {"roles": [str(role)]}, format="json")
    assert anonymous_api.get("/api/v1/ledger/accounts").status_code == 200
    assert anonymous_api.get("/api/v1/clients").status_code == 403
    assert [row.email for row in selectors.members_with(acme.id, "ledger:read")][-1] == email
    assert email not in [row.email for row in selectors.members_with(acme.id, "clients:read")]


def test_a_role_in_use_stays(acme: TenantView, api: ApiFor) -> None:
    role, client = _made(acme, "Desk", READ), api(acme)
    member = _row(acme, "VIEWER")
    client.patch(f"/api/v1/members/{member.id}", {"roles": ["VIEWER", "Desk"]}, format="json")
    found = problem(client.delete(f"{PATH}/{role}"), 409)
    assert (found["code"], found["members"], found["invitations"]) == ("role_in_use", 1, 0)

    client.delete(f"/api/v1/members/{member.id}")
    invited = client.post("/api/v1/invitations", {"email": "guest@new.test", "role": "Desk"}, format="json").json()
    assert invited["role"] == "Desk"
    assert problem(client.delete(f"{PATH}/{role}"), 409)["invitations"] == 1
    client.delete(f"/api/v1/invitations/{invited['id']}")
    assert client.delete(f"{PATH}/{role}").status_code == 204


def test_an_invitation_to_a_custom_role_gives_it(acme: TenantView, api: ApiFor, anonymous_api: APIClient) -> None:
    _made(acme, "Desk", READ)
    api(acme).post("/api/v1/invitations", {"email": "guest@new.test", "role": "Desk"}, format="json")
    row = Invitation.objects.get(email="guest@new.test")
    token = services.mailed_link(kind="invitation", row_id=row.id).rstrip("/").rpartition("/")[2]
    assert anonymous_api.get(f"/api/v1/invitations/by-token/{token}").json()["role"] == "Desk"
    body = {"password": PASSWORD, "first_name": "Gil", "last_name": "Guest"}
    assert anonymous_api.post(f"/api/v1/invitations/by-token/{token}/accept", body).status_code == 200

    member = Membership.objects.get(user__email="guest@new.test")
    assert assigned.of_member(member).permissions == set(READ)


def test_admins_neither_make_nor_touch_what_they_lack(acme: TenantView, api: ApiFor) -> None:
    admin, close = api(acme, "ADMIN"), _made(acme, "Closer", ["ledger:close"])
    member = _row(acme, "MEMBER").id

    body = {"name": "Mine", "permissions": ["ledger:close"]}
    assert admin.post(PATH, body, format="json").status_code == 403
    assert admin.patch(f"{PATH}/{close}", {"name": "Other"}, format="json").status_code == 403
    assert admin.delete(f"{PATH}/{close}").status_code == 403
    assert admin.patch(f"/api/v1/members/{member}", {"roles": ["MEMBER", "Closer"]}, format="json").status_code == 403
    # Somebody who has it already keeps it while an admin gives him something else.
    services.change_roles(actor=actor_of(acme), membership_id=member, roles=["MEMBER", "Closer"])
    _made(acme, "Desk", READ)
    kept = admin.patch(f"/api/v1/members/{member}", {"roles": ["VIEWER", "Closer", "Desk"]}, format="json")
    assert kept.json()["roles"] == ["VIEWER", "Closer", "Desk"]


def test_nobody_widens_his_own_role_or_that_of_his_equals(acme: TenantView) -> None:
    people = _made(acme, "People", ["members:read", "members:write", "roles:write", "audit:read"])
    owner, viewer = actor_of(acme), _row(acme, "VIEWER")
    services.change_roles(actor=owner, membership_id=viewer.id, roles=["VIEWER", "People"])
    second, email = person(acme, "MEMBER")
    other = Membership.objects.get(user_id=second)
    services.change_roles(actor=owner, membership_id=other.id, roles=["People"])
    actor = actor_of(acme, "VIEWER")

    for permissions in (["members:read", "members:write", "roles:write", "audit:read", "clients:read"],):
        with pytest.raises(PermissionRefused):
            services.update_role(actor=actor, role_id=people, permissions=permissions)
    with pytest.raises(PermissionRefused):
        services.remove_member(actor=actor, membership_id=other.id)
    with pytest.raises(PermissionRefused):
        services.change_roles(actor=actor, membership_id=viewer.id, roles=["MEMBER", "People"])
    # Who governs nothing stands below, whatever he may do with money.
    services.ban_member(actor=actor, membership_id=_row(acme, "ACCOUNTANT").id)
    assert email


def test_a_limited_actor_grants_only_within_his_limits(acme: TenantView) -> None:
    owner = actor_of(acme)
    limited = Actor(
        owner.kind, tenant_id=acme.id, user_id=owner.user_id, permissions=frozenset({"members:write", "members:read"})
    )
    with pytest.raises(PermissionRefused):
        services.change_roles(actor=limited, membership_id=_row(acme, "VIEWER").id, roles=["ADMIN"])


ACTORS = ["OWNER", "ADMIN", "ACCOUNTANT", "MEMBER", "VIEWER"]
PERMISSIONS = st.lists(
    st.sampled_from([*sorted(CUSTOMISABLE), "members:write", "roles:write"]), min_size=1, max_size=12, unique=True
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.sampled_from(ACTORS[:3]), st.sampled_from(["R0", "R1"]), PERMISSIONS),
        st.tuples(
            st.just("give"),
            st.sampled_from(ACTORS),
            st.sampled_from(ACTORS),
            st.lists(st.sampled_from(["ADMIN", "MEMBER", "VIEWER", "R0", "R1"]), min_size=1, max_size=3, unique=True),
        ),
    ),
    min_size=3,
    max_size=7,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_sequence_of_grants_raises_anybody_above_the_granter(acme: TenantView, steps: list[Any]) -> None:
    with transaction.atomic():
        for verb, by, what, wanted in steps:
            before = _held(acme)
            try:
                _step(acme, verb, actor_of(acme, by), what, wanted)
            except DomainError:
                assert _held(acme) == before
            for name, held in _held(acme).items():
                gained = held - before[name]
                assert gained <= before[by], (by, name, gained)
                assert not gained or name != by, (by, gained)
        transaction.set_rollback(True)


def _held(tenant: TenantView) -> dict[str, frozenset[str]]:
    return {role: assigned.of_member(_row(tenant, role)).permissions for role in ACTORS}


def _step(tenant: TenantView, verb: str, actor: Actor, what: str, wanted: list[str]) -> None:
    if verb == "give":
        services.change_roles(actor=actor, membership_id=_row(tenant, what).id, roles=wanted)
        return
    existing = [role for role in services.list_roles(actor=actor) if role.name == what]
    if existing:
        services.update_role(actor=actor, role_id=UUID(existing[0].id), permissions=wanted)
    else:
        services.create_role(actor=actor, name=what, permissions=wanted)


def test_a_role_is_not_deleted_while_it_is_given(committed: NewTenant) -> None:
    tenant = committed("Rolehouse")
    role, owner, member = _made(tenant, "Desk", READ), actor_of(tenant), _row(tenant, "VIEWER").id
    admin = actor_of(tenant, "ADMIN")

    def go(number: int) -> str:
        try:
            if number:
                services.delete_role(actor=owner, role_id=role)
            else:
                services.change_roles(actor=admin, membership_id=member, roles=["Desk"])
        except DomainError as error:
            return error.code
        return "done"

    given_first = sorted(at_once(2, go))
    assert given_first in (["done", "role_in_use"], ["done", "validation_failed"])
    holds = RoleGrant.objects.filter(membership_id=member).exists()
    assert holds == ("role_in_use" in given_first)


def test_the_page_makes_a_role_and_says_what_one_may_not_give(acme: TenantView, browser_client: BrowserFor) -> None:
    admin = browser_client(acme, "ADMIN")
    page = admin.get("/team/roles/new/").content.decode()
    assert page.count("You lack this yourself.") == 5
    assert "Only the owner; it goes with the ownership." in page

    refused = admin.post("/team/roles/new/", {"name": "Desk", "permissions": ["ledger:close"]})
    assert refused.status_code == 403 and "Close and reopen periods" in refused.content.decode()
    made = admin.post("/team/roles/new/", {"name": "Desk", "permissions": READ}, follow=True)
    assert "The role is ready" in made.content.decode()
    role = next(role for role in services.list_roles(actor=actor_of(acme)) if role.name == "Desk")
    admin.post(f"/team/{_row(acme, 'VIEWER').id}/", {"builtin": "VIEWER", "custom": role.id})
    assert "Viewer, Desk" in admin.get("/team/").content.decode()
    refused = admin.post(f"/team/roles/{role.id}/delete/", follow=True)
    assert "Give those who hold this role another one first" in refused.content.decode()

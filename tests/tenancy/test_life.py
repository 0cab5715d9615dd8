"""The life of a tenant: every pair of states through the services and the API, who may, and what suspension stops."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind, system
from apps.core.clock import utcnow
from apps.core.errors import DomainError, IllegalState, NotFound, PermissionRefused
from apps.iam.models import Membership, User
from apps.tenancy import deleting, lifecycle, selectors, services
from apps.tenancy.errors import EmailNotVerified, SuspendedByPlatform
from apps.tenancy.models import Tenant, TenantStatus
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.factories import invoices as invoice_factory
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import PASSWORD, ROLES, actor_of, in_tenant

ACTS: dict[str, Any] = {
    "suspend": services.suspend_tenant,
    "reactivate": services.reactivate_tenant,
    "retry-provisioning": services.retry_provisioning,
    "delete": deleting.delete_tenant,
    "restore": deleting.restore_tenant,
}
LEADS_TO = {"suspend": "SUSPENDED", "reactivate": "ACTIVE", "retry-provisioning": "PROVISIONING", "delete": "DELETED"}
# A deleted tenant goes back to what it was: here, active.
LEGAL = {
    (before, action): after
    for action, after in LEADS_TO.items()
    for before in TenantStatus.values
    if after in lifecycle.TRANSITIONS[before] and before != "PROVISIONING"
} | {("DELETED", "restore"): "ACTIVE"}
ALL_PAIRS = list(product(TenantStatus.values, ACTS))

OPERATOR = Actor(ActorKind.OPERATOR, name="Op", permissions=frozenset({"platform:read", "platform:write"}))


@pytest.fixture(autouse=True)
def hosts_forgotten(acme: TenantView) -> Iterator[None]:
    """What a test's rolled back transaction put into the cache reaches no other test."""
    yield
    selectors.forget_host(acme.host)


def put(tenant: TenantView, status: str, **values: Any) -> None:
    now = utcnow()
    deleted = {"deleted_at": now, "purge_after": now + timedelta(days=1), "status_before_deletion": "ACTIVE"}
    Tenant.objects.filter(pk=tenant.id).update(status=status, **(deleted if status == "DELETED" else {}), **values)


def status_of(tenant: TenantView) -> str:
    return str(Tenant.objects.get(pk=tenant.id).status)


def test_the_table_of_legal_actions_is_written_out() -> None:
    assert LEGAL == {
        ("ACTIVE", "suspend"): "SUSPENDED",
        ("SUSPENDED", "reactivate"): "ACTIVE",
        ("PROVISIONING_FAILED", "retry-provisioning"): "PROVISIONING",
        ("ACTIVE", "delete"): "DELETED",
        ("SUSPENDED", "delete"): "DELETED",
        ("PROVISIONING_FAILED", "delete"): "DELETED",
        ("DELETED", "restore"): "ACTIVE",
    }


@pytest.mark.parametrize("who", ["owner", "operator", "system"])
@pytest.mark.parametrize(("before", "action"), ALL_PAIRS)
def test_every_action_in_every_state(acme: TenantView, globex: TenantView, who: str, before: str, action: str) -> None:
    actor = {"owner": actor_of(acme), "operator": OPERATOR, "system": system(acme.id)}[who]
    put(acme, before)
    after = LEGAL.get((before, action))
    if after:
        ACTS[action](actor=actor, tenant_id=acme.id)
    else:
        with pytest.raises(IllegalState) as refusal:
            ACTS[action](actor=actor, tenant_id=acme.id)
        assert refusal.value.extra["allowed_actions"] == lifecycle.allowed_actions(before)
    assert status_of(acme) == (after or before)
    assert status_of(globex) == "ACTIVE"
    entries = AuditEntry.objects.filter(tenant_id=acme.id, entity_type="tenant", actor_kind=actor.kind)
    assert entries.filter(after__status=after).exists() is bool(after) or who == "system"


@pytest.mark.parametrize(("before", "action"), [pair for pair in ALL_PAIRS if pair[1] != "restore"])
def test_every_action_in_every_state_by_the_api(acme: TenantView, api: ApiFor, before: str, action: str) -> None:
    client = api(acme)
    put(acme, before)
    answer = client.delete("/api/v1/tenant") if action == "delete" else client.post(f"/api/v1/tenant/{action}")
    after = LEGAL.get((before, action))
    assert status_of(acme) == (after or before)
    if before == "DELETED":
        assert problem(answer, 403)["code"] == "tenant_not_available"
    elif after is None:
        told = problem(answer, 409)
        assert (told["code"], told["allowed_actions"]) == ("illegal_state", lifecycle.allowed_actions(before))
    elif action == "delete":
        assert answer.status_code == 204
    else:
        assert (answer.status_code, answer.json()["status"]) == (200, after)


@pytest.mark.parametrize("action", ACTS)
def test_who_may_not(acme: TenantView, globex: TenantView, action: str) -> None:
    (before, _), *_rest = [pair for pair in LEGAL if pair[1] == action]
    put(acme, before)
    support = replace(OPERATOR, permissions=frozenset({"platform:read"}))
    strangers = [actor_of(acme, role) for role in ROLES if role != "OWNER"]
    for actor in [*strangers, actor_of(globex), system(globex.id).__class__(ActorKind.GATEWAY, globex.id), support]:
        with pytest.raises(PermissionRefused):
            ACTS[action](actor=actor, tenant_id=acme.id)
    User.objects.filter(email=f"owner@{acme.slug}.test").update(email_verified_at=None)
    with pytest.raises(EmailNotVerified):
        ACTS[action](actor=actor_of(acme), tenant_id=acme.id)
    assert status_of(acme) == before


@pytest.mark.parametrize("action", ACTS)
def test_a_tenant_that_is_not_there(acme: TenantView, action: str) -> None:
    with pytest.raises(NotFound):
        ACTS[action](actor=OPERATOR, tenant_id=User.objects.first().pk)  # type: ignore[union-attr]


@pytest.mark.parametrize(("suspends", "lifts"), list(product(["USER", "OPERATOR", "SYSTEM"], repeat=2)))
def test_who_lifts_a_suspension(acme: TenantView, suspends: str, lifts: str) -> None:
    actors = {"USER": actor_of(acme), "OPERATOR": OPERATOR, "SYSTEM": system(acme.id)}
    services.suspend_tenant(actor=actors[suspends], tenant_id=acme.id)
    if lifts in (suspends, "OPERATOR"):
        services.reactivate_tenant(actor=actors[lifts], tenant_id=acme.id)
        assert Tenant.objects.get(pk=acme.id).suspended_by == ""
    else:
        with pytest.raises(SuspendedByPlatform):
            services.reactivate_tenant(actor=actors[lifts], tenant_id=acme.id)


def test_deleting_and_restoring_does_not_lift_a_suspension(acme: TenantView) -> None:
    services.suspend_tenant(actor=OPERATOR, tenant_id=acme.id)
    owner = actor_of(acme)
    deleting.delete_tenant(actor=owner, tenant_id=acme.id)
    deleting.restore_tenant(actor=owner, tenant_id=acme.id)
    assert status_of(acme) == "SUSPENDED"
    with pytest.raises(SuspendedByPlatform):
        services.reactivate_tenant(actor=owner, tenant_id=acme.id)


def test_suspended_programs_read_and_do_not_write(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    ours, theirs = api(acme), api(globex)
    services.suspend_tenant(actor=OPERATOR, tenant_id=acme.id)
    for path in ("tenant", "clients", "invoices", "payments", "ledger/accounts", "audit"):
        assert ours.get(f"/api/v1/{path}").status_code == 200, path
    writes = [("post", "clients"), ("post", "invoices"), ("delete", "notifications"), ("patch", "me")]
    for method, path in writes:
        assert problem(getattr(ours, method)(f"/api/v1/{path}", {}), 403)["code"] == "tenant_suspended", path
    assert theirs.post("/api/v1/clients", {"name": "Ionian"}).status_code == 201
    assert ours.post("/api/v1/auth/validate").status_code == 200
    assert ours.post("/api/v1/auth/signout").status_code == 204


def test_suspended_pages_are_read_only_but_for_language_and_leaving(
    acme: TenantView, browser_client: BrowserFor
) -> None:
    client = browser_client(acme)
    services.suspend_tenant(actor=OPERATOR, tenant_id=acme.id)
    page = client.get("/").content.decode()
    assert "This workspace is suspended" in page
    assert client.post("/clients/new/", {"name": "Ionian"}).status_code == 403
    assert client.post("/language/", {"language": "de", "next": "/"}).status_code == 302
    assert client.post("/sign-out/").status_code == 302
    assert (
        Client(SERVER_NAME=acme.host)
        .post("/sign-in/", {"email": f"viewer@{acme.slug}.test", "password": PASSWORD})
        .status_code
        == 302
    )


@pytest.mark.parametrize("accepts", [True, False])
def test_a_customer_of_a_suspended_tenant(acme: TenantView, settings: Any, accepts: bool) -> None:
    with in_tenant(acme):
        invoice = invoice_factory.make_open(actor_of(acme))
    services.suspend_tenant(actor=OPERATOR, tenant_id=acme.id)
    settings.SUSPENDED_TENANTS_ACCEPT_PAYMENTS = accepts
    selectors.forget_host(acme.host)
    path = invoice.hosted_url[invoice.hosted_url.index("/i/") :]  # type: ignore[union-attr, index]
    customer = Client(SERVER_NAME=acme.host, raise_request_exception=False)
    page = customer.get(path)
    assert page.status_code == 200
    assert (f'action="{path}pay/"' in page.content.decode()) is accepts
    answer = customer.post(f"{path}pay/")
    # No provider answers here: what matters is who refuses.
    assert (answer.status_code == 403) is not accepts


def test_a_deleted_tenant_is_gone_at_once(acme: TenantView, api: ApiFor, browser_client: BrowserFor) -> None:
    program, browser, host = api(acme), browser_client(acme), APIClient(SERVER_NAME=acme.host)
    deleting.delete_tenant(actor=OPERATOR, tenant_id=acme.id, reason="Asked by letter")
    assert program.get("/api/v1/tenant").status_code == 401
    selectors.forget_host(acme.host)
    page = browser.get("/")
    assert page.status_code == 404
    assert "This workspace was deleted" in page.content.decode()
    assert problem(host.get("/api/v1/tenant"), 404)["code"] == "not_found"
    credentials = {"email": f"owner@{acme.slug}.test", "password": PASSWORD}
    platform = APIClient(SERVER_NAME="localhost")
    assert platform.post("/api/v1/auth/discover", credentials).json() == {"data": []}
    assert platform.post("/api/v1/auth/signin", credentials | {"tenant": acme.key}).status_code == 403
    assert Membership.objects.filter(tenant_id=acme.id).exists(), "nothing is removed before the grace is over"

    deleting.restore_tenant(actor=OPERATOR, tenant_id=acme.id)
    assert program.get("/api/v1/tenant").status_code == 401, "who comes back signs in again"
    assert api(acme).get("/api/v1/tenant").status_code == 200


def test_restoring_ends_with_the_grace(acme: TenantView, settings: Any) -> None:
    settings.TENANT_PURGE_GRACE_DAYS = 3
    now, owner = utcnow(), actor_of(acme)
    assert deleting.delete_tenant(actor=owner, tenant_id=acme.id, now=now) == now + timedelta(days=3)
    late = now + timedelta(days=3)
    with pytest.raises(IllegalState) as refusal:
        deleting.restore_tenant(actor=owner, tenant_id=acme.id, now=late)
    assert refusal.value.extra["allowed_actions"] == []
    deleting.restore_tenant(actor=owner, tenant_id=acme.id, now=late - timedelta(seconds=1))
    assert status_of(acme) == "ACTIVE"


@pytest.mark.parametrize("error", [EmailNotVerified, SuspendedByPlatform])
def test_refusals_have_codes_of_their_own(error: type[DomainError]) -> None:
    assert error.status == 403
    assert error.code not in ("permission_refused", "error")


def test_a_request_from_before_the_deletion_brings_nothing_back(acme: TenantView) -> None:
    read_before = selectors.tenant_by_id(acme.id)
    deleting.delete_tenant(actor=actor_of(acme), tenant_id=acme.id)
    selectors.forget_host(acme.host)
    selectors._remember_host(acme.host, read_before)
    found = selectors.tenant_by_host(acme.host)
    assert found is not None and found.status == "DELETED"
    selectors.forget_host(acme.host)

"""What works in the background looks at the tenant's state first, and what waited goes on afterwards."""

from uuid import UUID, uuid4
from zoneinfo import ZoneInfoNotFoundError

import pytest
from celery import current_app

from apps.core.actor import Actor, ActorKind
from apps.core.tenants import current_scope
from apps.invoices import tasks as invoice_tasks
from apps.invoices.models import DocumentStatus, InvoiceDocument
from apps.tenancy import deleting, jobs, selectors, services
from apps.tenancy.jobs import tenant_task
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories import invoices as invoice_factory
from tests.fixtures.tenants import actor_of, in_tenant

OPERATOR = Actor(ActorKind.OPERATOR, name="Op", permissions=frozenset({"platform:read", "platform:write"}))
seen: list[tuple[str, UUID | None]] = []


@tenant_task("tests.ordinary", queue="default")
def ordinary(tenant_id: UUID) -> str:
    """Work of the tenant's business."""
    seen.append(("ordinary", current_scope().id))
    return "done"


@tenant_task("tests.money", queue="default", when_suspended=True)
def money(tenant_id: UUID) -> str:
    """Money that has moved."""
    seen.append(("money", current_scope().id))
    return "done"


@pytest.mark.parametrize(
    ("status", "works", "settles"),
    [
        ("ACTIVE", True, True),
        ("SUSPENDED", False, True),
        ("PROVISIONING", False, False),
        ("PROVISIONING_FAILED", False, False),
        ("DELETED", False, False),
    ],
)
def test_tasks_look_before_they_work(acme: TenantView, status: str, works: bool, settles: bool) -> None:
    Tenant.objects.filter(pk=acme.id).update(status=status)
    seen.clear()
    assert ordinary.run(str(acme.id)) == ("done" if works else None)
    assert money.run(str(acme.id)) == ("done" if settles else None)
    assert seen == [("ordinary", acme.id)] * works + [("money", acme.id)] * settles


def test_a_task_for_a_tenant_that_was_purged_does_nothing(acme: TenantView) -> None:
    assert money.run(str(uuid4())) is None


def test_documents_wait_for_the_reactivation(acme: TenantView) -> None:
    with in_tenant(acme):
        invoice = invoice_factory.make_open(actor_of(acme))
        document = InvoiceDocument.objects.get(invoice_id=invoice.id)
    services.suspend_tenant(actor=OPERATOR, tenant_id=acme.id)
    invoice_tasks.render_document.run(str(acme.id), str(document.id))
    invoice_tasks.sweep_documents.run()
    with in_tenant(acme):
        assert InvoiceDocument.objects.get(pk=document.id).status == DocumentStatus.PENDING
    services.reactivate_tenant(actor=OPERATOR, tenant_id=acme.id)
    invoice_tasks.sweep_documents.run()
    with in_tenant(acme):
        assert InvoiceDocument.objects.get(pk=document.id).status == DocumentStatus.READY


def test_what_fails_in_one_tenant_stops_no_other(acme: TenantView, globex: TenantView) -> None:
    def work(tenant: TenantView) -> None:
        visited.append(tenant.id)
        if tenant == acme:
            raise ZoneInfoNotFoundError("No time zone found with key Mars/Olympus")

    visited: list[UUID] = []
    with pytest.raises(ZoneInfoNotFoundError):
        jobs.visit([acme, globex], work)
    assert visited == [acme.id, globex.id]
    with pytest.raises(ZoneInfoNotFoundError):
        jobs.visit([acme, globex], work, halting=(LookupError,))
    assert visited == [acme.id, globex.id, acme.id]


def test_which_tenants_the_sweeps_visit(acme: TenantView, globex: TenantView) -> None:
    def visited() -> tuple[set[UUID], set[UUID]]:
        both = {acme.id, globex.id}
        working = {tenant.id for tenant in selectors.active_tenants()}
        settling = {tenant.id for tenant in selectors.settling_tenants()}
        return working & both, settling & both

    services.suspend_tenant(actor=OPERATOR, tenant_id=acme.id)
    assert visited() == ({globex.id}, {acme.id, globex.id})
    deleting.delete_tenant(actor=OPERATOR, tenant_id=acme.id)
    assert visited() == ({globex.id}, {globex.id})


def test_the_purge_is_on_the_clock() -> None:
    scheduled = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert "tenancy.purge_deleted" in scheduled

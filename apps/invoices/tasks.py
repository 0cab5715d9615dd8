"""Background work of the invoices app."""

from uuid import UUID

from apps.core.jobs import platform_task
from apps.invoices import services
from apps.tenancy import jobs
from apps.tenancy import selectors as tenancy
from apps.tenancy.jobs import tenant_task


@tenant_task("invoices.render_document", queue="invoices")
def render_document(tenant_id: UUID, document_id: UUID) -> None:
    """Make the PDF of one invoice."""
    services.render_document(document_id=document_id)


@platform_task("invoices.tell_overdue", queue="invoices")
def tell_overdue() -> None:
    """Tell of the invoices whose due date has passed, tenant by tenant."""
    jobs.visit(tenancy.active_tenants(), lambda _: services.tell_overdue())


@platform_task("invoices.sweep_documents", queue="invoices")
def sweep_documents() -> None:
    """Make the PDFs that lost hints and dead workers left, tenant by tenant."""
    jobs.visit(tenancy.active_tenants(), lambda _: services.render_due_documents())

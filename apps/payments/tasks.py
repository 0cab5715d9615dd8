"""Background work of the payments app. Every task may run twice, late or never: the rows say what is owed."""

from uuid import UUID

import structlog

from apps.core.actor import system
from apps.core.errors import GatewayFailed
from apps.core.jobs import platform_task
from apps.payments import inbox, services
from apps.payments.errors import FactsDisagree, GatewayNotConfigured, GatewayUnreachable
from apps.tenancy import jobs
from apps.tenancy import selectors as tenancy
from apps.tenancy.jobs import tenant_task

logger = structlog.get_logger(__name__)

# Who meets one of these need not ask for anybody else.
_NOBODY_REACHED = (GatewayUnreachable, GatewayNotConfigured)


@platform_task("payments.process_gateway_event", queue="payments")
def process_gateway_event(event_row_id: str) -> None:
    """Process one stored event."""
    inbox.process_event(event_row_id=UUID(event_row_id))


@platform_task("payments.process_due_gateway_events", queue="payments")
def process_due_gateway_events() -> None:
    """Process the events that are due."""
    inbox.process_due()


@platform_task("payments.reconcile_payments", queue="payments")
def reconcile_payments() -> None:
    """Look after every tenant's payments and refunds that are due; suspended ones' customers may have paid, too."""
    try:
        jobs.visit(
            tenancy.settling_tenants(), lambda tenant: services.reconcile(tenant_id=tenant.id), halting=_NOBODY_REACHED
        )
    except _NOBODY_REACHED as error:
        logger.warning("payments.reconcile_stopped", error=error.code)


@tenant_task("payments.check_payment", queue="payments", when_suspended=True)
def check_payment(tenant_id: UUID, payment_id: UUID) -> None:
    """Go on with one payment; what fails now is done by the reconciler."""
    try:
        services.check_payment(actor=system(tenant_id), payment_id=payment_id)
    except (GatewayFailed, GatewayNotConfigured, FactsDisagree) as error:
        logger.warning("payments.check_failed", payment_id=str(payment_id), error=error.code)

"""What the payments app does after its own commits."""

from apps.core.events import subscribe
from apps.core.jobs import wake
from apps.payments import tasks
from apps.payments.events import CheckoutGivenUp


@subscribe(CheckoutGivenUp)
def close_soon(event: CheckoutGivenUp) -> None:
    """The row says that closing is owed; the sooner it happens, the less a customer pays for nothing."""
    wake(tasks.check_payment, event.tenant_id, event.payment_id)

"""Money that moves outside any provider: by bank transfer, in cash. A refund is done when it is noted."""

from apps.payments.choices import RefundStatus
from apps.payments.gateways.base import RefundFacts, RefundRequest


class ManualGateway:
    """Asks nobody; whoever notes the refund sends the money himself."""

    name = "manual"

    def refund(self, request: RefundRequest) -> RefundFacts:
        """Done at once, under our own id."""
        return RefundFacts(
            ref=f"manual_{request.refund_id}",
            own_id=request.refund_id,
            status=RefundStatus.SUCCEEDED,
            amount_minor=request.amount_minor,
            currency=request.currency,
            reason=request.reason,
        )

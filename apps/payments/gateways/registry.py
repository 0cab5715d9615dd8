"""Which gateways there are."""

from apps.payments.gateways.base import CheckoutGateway, Gateway
from apps.payments.gateways.manual import ManualGateway
from apps.payments.gateways.stripe import StripeGateway

CHECKOUT: CheckoutGateway = StripeGateway()
MANUAL: Gateway = ManualGateway()
_ALL: dict[str, Gateway] = {gateway.name: gateway for gateway in (CHECKOUT, MANUAL)}


def named(name: str) -> Gateway:
    """The gateway that a payment came by."""
    return _ALL[name]

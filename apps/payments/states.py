"""Which status of a payment may follow which, and what people may do in it."""

from apps.core.errors import IllegalState
from apps.payments.choices import PaymentStatus as S

# Money that arrives counts whatever was thought before: a customer may pay in a session just as it is given up.
TRANSITIONS: dict[str, frozenset[str]] = {
    S.PENDING: frozenset({S.SUCCEEDED, S.FAILED, S.CANCELED}),
    S.FAILED: frozenset({S.PENDING, S.SUCCEEDED, S.CANCELED}),
    S.CANCELED: frozenset({S.SUCCEEDED}),
    S.SUCCEEDED: frozenset({S.PARTIALLY_REFUNDED, S.REFUNDED}),
    S.PARTIALLY_REFUNDED: frozenset({S.SUCCEEDED, S.PARTIALLY_REFUNDED, S.REFUNDED}),
    S.REFUNDED: frozenset({S.SUCCEEDED, S.PARTIALLY_REFUNDED}),
}
PAID = frozenset({S.SUCCEEDED, S.PARTIALLY_REFUNDED, S.REFUNDED})
REFUNDABLE = frozenset({S.SUCCEEDED, S.PARTIALLY_REFUNDED})
REFUND = "refund"


def allowed_actions(status: str, refundable_minor: int) -> tuple[str, ...]:
    """What people may do with a payment of which `refundable_minor` is neither refunded nor reserved."""
    return (REFUND,) if status in REFUNDABLE and refundable_minor > 0 else ()


def check(before: str, after: str) -> None:
    """Refuse a transition that the table does not hold.

    Raises:
        IllegalState: no way leads from `before` to `after`.
    """
    if after not in TRANSITIONS[before]:
        raise IllegalState(f"A payment that is {before.lower()} cannot become {after.lower()}.", allowed_actions=())


def after_refunds(amount_minor: int, refunded_minor: int) -> str:
    """The status of a paid payment of which `refunded_minor` went back."""
    if refunded_minor == 0:
        return S.SUCCEEDED
    return S.REFUNDED if refunded_minor == amount_minor else S.PARTIALLY_REFUNDED

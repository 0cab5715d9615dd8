"""People hear of every change to their second factors: a row in the transaction of the change, then a hint."""

from apps.core.events import subscribe
from apps.iam.events import MfaChanged
from apps.notifications import factor_letters, services
from apps.notifications.posting import post


@subscribe(MfaChanged)
def tell_of_changed_factors(event: MfaChanged) -> None:
    """Whoever it was, the person hears of it."""
    key = f"mfa.{event.change}:{event.user_id}:{services.change_key()}"
    post(factor_letters.factors_changed(event), key)

"""People hear of every change to their second factors: a row in the transaction of the change, then a hint."""

from apps.core.events import subscribe
from apps.core.jobs import wake
from apps.iam.events import MfaChanged
from apps.notifications import factor_letters, services, tasks


@subscribe(MfaChanged)
def tell_of_changed_factors(event: MfaChanged) -> None:
    """Whoever it was, the person hears of it."""
    key = f"mfa.{event.change}:{event.user_id}:{services.change_key()}"
    delivery_id = services.queue_email(letter=factor_letters.factors_changed(event), tenant_id=None, dedupe_key=key)
    if delivery_id:
        wake(tasks.deliver_email, delivery_id)

"""What the product tells people about their own accounts: rows in the transaction of the change, then a hint."""

from uuid import UUID

from apps.core.events import subscribe
from apps.core.jobs import wake
from apps.iam.events import AccountTokenMailed, PasswordChanged
from apps.notifications import people_letters, services, tasks
from apps.notifications.services import Letter


@subscribe(AccountTokenMailed)
def send_account_link(event: AccountTokenMailed) -> None:
    """A link to set a password or to confirm an address."""
    _write(people_letters.account_token(event), f"account.token:{event.token_id}")


@subscribe(PasswordChanged)
def tell_of_changed_password(event: PasswordChanged) -> None:
    """Whoever it was, the person hears of it."""
    _write(people_letters.password_changed(event), f"password.changed:{event.user_id}:{services.change_key()}")


def _write(letter: Letter, key: str, tenant_id: UUID | None = None) -> None:
    delivery_id = services.queue_email(letter=letter, tenant_id=tenant_id, dedupe_key=key)
    if delivery_id:
        wake(tasks.deliver_email, delivery_id)

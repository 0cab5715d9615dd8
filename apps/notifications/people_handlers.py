"""What the product tells people about their own accounts: rows in the transaction of the change, then a hint."""

from uuid import UUID

from apps.core.events import subscribe
from apps.core.jobs import wake
from apps.iam import selectors as iam
from apps.iam.events import (
    AccountTokenMailed,
    ImpersonationStarted,
    InvitationSent,
    OwnershipTransferred,
    PasswordChanged,
)
from apps.notifications import people_letters, services, tasks
from apps.notifications.services import Letter
from apps.tenancy import selectors as tenancy


@subscribe(AccountTokenMailed)
def send_account_link(event: AccountTokenMailed) -> None:
    """A link to set a password or to confirm an address."""
    _write(people_letters.account_token(event), f"account.token:{event.token_id}")


@subscribe(PasswordChanged)
def tell_of_changed_password(event: PasswordChanged) -> None:
    """Whoever it was, the person hears of it."""
    _write(people_letters.password_changed(event), f"password.changed:{event.user_id}:{services.change_key()}")


@subscribe(InvitationSent)
def send_invitation(event: InvitationSent) -> None:
    """The invited person gets the link; each time that it is sent again, a new one."""
    key = f"invitation:{event.invitation_id}:{event.generation}"
    _write(people_letters.invitation(event), key, event.tenant_id)


@subscribe(OwnershipTransferred)
def tell_of_new_owner(event: OwnershipTransferred) -> None:
    """Both the former and the new owner hear of it."""
    heir, tenant = iam.get_profile(event.to_user_id), tenancy.tenant_by_id(event.tenant_id)
    for user_id in (event.from_user_id, event.to_user_id):
        letter = people_letters.ownership_moved(event, iam.get_profile(user_id), heir, tenant.name)
        _write(letter, f"ownership:{user_id}:{event.tenant_id}:{services.change_key()}", event.tenant_id)


@subscribe(ImpersonationStarted)
def tell_of_an_operator(event: ImpersonationStarted) -> None:
    """The owners hear that somebody of the platform works in a member's name, and why."""
    tenant = tenancy.tenant_by_id(event.tenant_id)
    for owner in iam.members_with(event.tenant_id, "ownership:transfer"):
        letter = people_letters.operator_in_your_workspace(event, owner, tenant.name)
        _write(letter, f"impersonation:{event.impersonation_id}:{owner.user_id}", event.tenant_id)


def _write(letter: Letter, key: str, tenant_id: UUID | None = None) -> None:
    delivery_id = services.queue_email(letter=letter, tenant_id=tenant_id, dedupe_key=key)
    if delivery_id:
        wake(tasks.deliver_email, delivery_id)

"""What the product tells people about their own accounts: rows in the transaction of the change, then a hint."""

from apps.core.events import subscribe
from apps.iam import selectors as iam
from apps.iam.events import (
    AccountTokenMailed,
    ImpersonationStarted,
    InvitationSent,
    OwnershipTransferred,
    PasswordChanged,
)
from apps.notifications import people_letters, services
from apps.notifications.posting import post
from apps.tenancy import selectors as tenancy


@subscribe(AccountTokenMailed)
def send_account_link(event: AccountTokenMailed) -> None:
    """A link to set a password or to confirm an address."""
    post(people_letters.account_token(event), f"account.token:{event.token_id}")


@subscribe(PasswordChanged)
def tell_of_changed_password(event: PasswordChanged) -> None:
    """Whoever it was, the person hears of it."""
    post(people_letters.password_changed(event), f"password.changed:{event.user_id}:{services.change_key()}")


@subscribe(InvitationSent)
def send_invitation(event: InvitationSent) -> None:
    """The invited person gets the link; each time that it is sent again, a new one."""
    key = f"invitation:{event.invitation_id}:{event.generation}"
    post(people_letters.invitation(event), key, tenant_id=event.tenant_id)


@subscribe(OwnershipTransferred)
def tell_of_new_owner(event: OwnershipTransferred) -> None:
    """Both the former and the new owner hear of it."""
    heir, tenant = iam.get_profile(event.to_user_id), tenancy.tenant_by_id(event.tenant_id)
    for user_id in (event.from_user_id, event.to_user_id):
        letter = people_letters.ownership_moved(event, iam.get_profile(user_id), heir, tenant.name)
        post(letter, f"ownership:{user_id}:{event.tenant_id}:{services.change_key()}", tenant_id=event.tenant_id)


@subscribe(ImpersonationStarted)
def tell_of_an_operator(event: ImpersonationStarted) -> None:
    """The owners hear that somebody of the platform works in a member's name, and why."""
    tenant = tenancy.tenant_by_id(event.tenant_id)
    for owner in iam.members_with(event.tenant_id, "ownership:transfer"):
        letter = people_letters.operator_in_your_workspace(event, owner, tenant.name)
        post(letter, f"impersonation:{event.impersonation_id}:{owner.user_id}", tenant_id=event.tenant_id)

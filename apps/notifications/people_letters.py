"""The e-mails to people about their own accounts; a link with a secret is made when the mail is (`PRIVATE_LINK`)."""

from django.utils import translation
from django.utils.translation import gettext as _

from apps.iam.events import (
    AccountTokenMailed,
    ImpersonationStarted,
    InvitationSent,
    OwnershipTransferred,
    PasswordChanged,
)
from apps.iam.selectors import MemberView, ProfileView
from apps.notifications.languages import language_of
from apps.notifications.services import PRIVATE_LINK, Letter


def account_token(event: AccountTokenMailed) -> Letter:
    """The link behind which a new password is set, or the one that confirms the address."""
    is_reset = event.purpose == "RESET"
    with translation.override(language_of(event.locale)):
        return Letter(
            to=event.email,
            locale=event.locale,
            template="password_reset" if is_reset else "verify_email",
            subject=_("Set a new password") if is_reset else _("Confirm your e-mail address"),
            context={"name": event.name, PRIVATE_LINK: {"kind": "account_token", "id": str(event.token_id)}},
            related_type="user",
            related_id=event.user_id,
        )


def password_changed(event: PasswordChanged) -> Letter:
    """Word that the password is another one, in case it was not the person himself."""
    with translation.override(language_of(event.locale)):
        return Letter(
            to=event.email,
            locale=event.locale,
            template="password_changed",
            subject=_("Your password was changed"),
            context={"name": event.name},
            related_type="user",
            related_id=event.user_id,
        )


def invitation(event: InvitationSent) -> Letter:
    """The link behind which somebody joins a workspace."""
    with translation.override(language_of(event.locale)):
        return Letter(
            to=event.email,
            locale=event.locale,
            template="invitation",
            subject=_("Join %(name)s on Insula") % {"name": event.tenant_name},
            context={
                "inviter": event.inviter,
                "tenant_name": event.tenant_name,
                PRIVATE_LINK: {"kind": "invitation", "id": str(event.invitation_id)},
            },
            related_type="invitation",
            related_id=event.invitation_id,
        )


def ownership_moved(event: OwnershipTransferred, reader: ProfileView, heir: ProfileView, tenant_name: str) -> Letter:
    """Word to the former and to the new owner."""
    with translation.override(language_of(reader.locale)):
        return Letter(
            to=reader.email,
            locale=reader.locale,
            template="ownership_moved",
            subject=_("%(name)s has a new owner") % {"name": tenant_name},
            context={
                "name": reader.name,
                "tenant_name": tenant_name,
                "owner": heir.name,
                "former": event.by_name,
            },
            related_type="tenant",
            related_id=event.tenant_id,
        )


def operator_in_your_workspace(event: ImpersonationStarted, owner: MemberView, tenant_name: str) -> Letter:
    """Word to an owner that an operator works in a member's name."""
    with translation.override(language_of(owner.locale)):
        return Letter(
            to=owner.email,
            locale=owner.locale,
            template="operator_in_your_workspace",
            subject=_("Our support is working in %(name)s") % {"name": tenant_name},
            context={
                "name": owner.name,
                "tenant_name": tenant_name,
                "operator": event.operator,
                "member": event.member,
                "reason": event.reason,
                "until": f"{event.ends_at:%H:%M} UTC",
            },
            related_type="tenant",
            related_id=event.tenant_id,
        )

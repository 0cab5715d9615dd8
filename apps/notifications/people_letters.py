"""The e-mails to people about their own accounts; a link with a secret is made when the mail is (`PRIVATE_LINK`)."""

from django.utils import translation
from django.utils.translation import gettext as _

from apps.iam.events import AccountTokenMailed, PasswordChanged
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

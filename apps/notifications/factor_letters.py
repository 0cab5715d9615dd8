"""The e-mails that tell a person that his second factors have changed."""

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from apps.iam.events import MfaChange, MfaChanged
from apps.notifications.languages import language_of
from apps.notifications.services import Letter

_TEXTS = {
    MfaChange.APP_ADDED: (
        _("Two-step sign-in is on"),
        _("An authenticator app was set up for your account: it is asked for after your password."),
    ),
    MfaChange.APP_REMOVED: (
        _("Your authenticator app was removed"),
        _("The authenticator app of your account was removed: its codes are not accepted any more."),
    ),
    MfaChange.PASSKEY_ADDED: (
        _("A passkey was added"),
        _("A passkey was added to your account: it signs you in."),
    ),
    MfaChange.PASSKEY_REMOVED: (
        _("A passkey was removed"),
        _("A passkey of your account was removed: it does not sign you in any more."),
    ),
    MfaChange.CODES_RENEWED: (
        _("Your recovery codes are new"),
        _("New recovery codes were made for your account: the earlier ones are void."),
    ),
    MfaChange.CODE_USED: (
        _("A recovery code was used"),
        _("One of your recovery codes was used in place of your second factor. It is spent now."),
    ),
    MfaChange.RESET: (
        _("Your second factors were reset"),
        _("The platform's operators removed every second factor of your account and signed you out everywhere."),
    ),
}
_ENDS_OTHERS = (MfaChange.APP_ADDED, MfaChange.PASSKEY_ADDED)

_ENDS_ITS_OWN = (MfaChange.APP_REMOVED, MfaChange.PASSKEY_REMOVED)


def factors_changed(event: MfaChanged) -> Letter:
    """Word that a second factor came, went or was used up, in case it was not the person himself."""
    with translation.override(language_of(event.locale)):
        subject, what = map(str, _TEXTS[MfaChange(event.change)])
        if MfaChange(event.change) in _ENDS_OTHERS:
            what = f"{what} {_('Devices that had signed in without a second factor are signed out.')}"
        if MfaChange(event.change) in _ENDS_ITS_OWN:
            what = f"{what} {_('Other devices that had signed in this way are signed out.')}"
        return Letter(
            to=event.email,
            locale=event.locale,
            template="mfa_changed",
            subject=subject,
            context={"name": event.name, "what": what, "passkey": event.detail},
            related_type="user",
            related_id=event.user_id,
        )

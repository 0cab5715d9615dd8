"""The e-mails that tell a person of a sign-in that he may not know of, and that he is kept out."""

from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from apps.iam.events import RefreshTokenReused, SignedInFromNew
from apps.iam.selectors import ProfileView
from apps.notifications.languages import language_of
from apps.notifications.services import Letter


def new_device(event: SignedInFromNew) -> Letter:
    """Word that somebody signed in from a device or a network that the person has not used before."""
    with translation.override(language_of(event.locale)):
        return Letter(
            to=event.email,
            locale=event.locale,
            template="account_notice",
            subject=_("A new sign-in to your account"),
            context={
                "name": event.name,
                "what": _("your account was used to sign in from a device or a place that is new to us."),
                "facts": [
                    [_("Device"), event.device],
                    [_("Address"), event.ip or "–"],
                    [_("Time"), f"{event.occurred_at:%Y-%m-%d %H:%M} UTC"],
                ],
                "closing": _(
                    "If it was you, there is nothing to do. If not, change your password at once: under “Security” you "
                    "see every device and sign it out."
                ),
            },
            related_type="user",
            related_id=event.user_id,
        )


def token_reused(event: RefreshTokenReused) -> Letter:
    """Word that a program's sign-in was ended because two seem to use it."""
    with translation.override(language_of(event.locale)):
        return Letter(
            to=event.email,
            locale=event.locale,
            template="account_notice",
            subject=_("We ended one of your sign-ins"),
            context={
                "name": event.name,
                "what": _(
                    "one of your programs used a sign-in that was spent already. Somebody may have copied it, so we "
                    "ended it."
                ),
                "facts": [[_("Device"), event.device], [_("Address"), event.ip or "–"]],
                "closing": _("Sign in again with that program. If you do not know it, change your password at once."),
            },
            related_type="user",
            related_id=event.user_id,
        )


def banned(reader: ProfileView, *, place: str, reason: str, until: datetime | None) -> Letter:
    """Word that somebody is kept out of a workspace, or of the whole platform when `place` is its name."""
    with translation.override(language_of(reader.locale)):
        facts = [[_("Until"), f"{until:%Y-%m-%d %H:%M} UTC" if until else _("Until the ban is lifted")]]
        if reason:
            facts.append([_("Reason"), reason])
        return Letter(
            to=reader.email,
            locale=reader.locale,
            template="account_notice",
            subject=_("You are banned from %(name)s") % {"name": place},
            context={
                "name": reader.name,
                "what": _("you cannot sign in to %(name)s at the moment, and you were signed out there.")
                % {"name": place},
                "facts": facts,
                "closing": _("If you think that this is a mistake, answer whoever manages it."),
            },
            related_type="user",
            related_id=reader.id,
        )

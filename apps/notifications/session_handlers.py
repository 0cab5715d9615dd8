"""People hear of sign-ins that may not be theirs, and of bans: a row in the transaction of the change, then a hint."""

from apps.core.events import subscribe
from apps.iam import selectors as iam
from apps.iam.events import MemberBanned, PersonBanned, RefreshTokenReused, SignedInFromNew
from apps.notifications import services, session_letters
from apps.notifications.posting import post
from apps.tenancy import selectors as tenancy

_PLATFORM = "Insula"


@subscribe(SignedInFromNew)
def tell_of_a_new_device(event: SignedInFromNew) -> None:
    """Once for each sign-in: the next one from there is known."""
    post(session_letters.new_device(event), f"session.new:{event.family_id}")


@subscribe(RefreshTokenReused)
def tell_of_a_copied_sign_in(event: RefreshTokenReused) -> None:
    """Whoever of the two it was, the person hears of it."""
    post(session_letters.token_reused(event), f"session.reused:{event.family_id}")


@subscribe(PersonBanned)
def tell_of_a_ban(event: PersonBanned) -> None:
    """The person hears why he cannot sign in anywhere."""
    letter = session_letters.banned(
        iam.get_profile(event.user_id), place=_PLATFORM, reason=event.reason, until=event.until
    )
    post(letter, f"ban:{event.user_id}:{services.change_key()}")


@subscribe(MemberBanned)
def tell_a_member_of_a_ban(event: MemberBanned) -> None:
    """The member hears why he cannot enter the workspace."""
    letter = session_letters.banned(
        iam.get_profile(event.user_id),
        place=tenancy.tenant_by_id(event.tenant_id).name,
        reason=event.reason,
        until=event.until,
    )
    post(letter, f"member.ban:{event.membership_id}:{services.change_key()}", tenant_id=event.tenant_id)

"""Authenticator apps: set up, taken away, and their codes, each good once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.core import sealing
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import NotFound, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import factors, signins, standing, totp
from apps.iam.errors import AlreadySetUp
from apps.iam.events import MfaChange
from apps.iam.factor_models import AuthenticatorApp
from apps.iam.models import User
from apps.iam.proofs import CODE

ISSUER = "Insula"

_SPEND = """
UPDATE public.iam_authenticator_app SET last_step = %(step)s
 WHERE user_id = %(user)s AND confirmed_at IS NOT NULL AND last_step < %(step)s
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app has to know, as base32 text to type and as the address in its QR code; shown to its person alone."""

    seed: str
    address: str


def begin(*, actor: Actor, is_new: bool = True) -> Enrolment:
    """A seed that counts once `confirm` has seen a code of it; beginning again makes another.

    With `is_new` false the seed that waits already is shown again, if there is one.

    Raises:
        AlreadySetUp: there is an app already; it has to be taken away first.
    """
    with public_scope(), transaction.atomic():
        user = User.objects.select_for_update().get(pk=standing.person(actor))
        row = AuthenticatorApp.objects.filter(user=user).first()
        if row is not None and row.confirmed_at:
            raise AlreadySetUp(_("You have an authenticator app already. Remove it before you set up another."))
        if row is not None and not is_new:
            return _enrolment(user, _seed_of(row))
        AuthenticatorApp.objects.filter(user=user).delete()
        row, seed = AuthenticatorApp(user=user), totp.new_seed()
        row.seed = sealing.seal(seed, purpose=sealing.purpose_of(row, "seed"))
        row.save()
        return _enrolment(user, seed)


def confirm(*, actor: Actor, family_id: UUID | None, code: str, now: datetime | None = None) -> list[str]:
    """Take the app into use by a code of it; the present sign-in counts as strong from now on, others without one end.

    Returns:
        Recovery codes, to be shown this once, if the person had none.

    Raises:
        InvalidToken: the present sign-in has ended since the request was let in.
        NotFound: nothing was begun.
        ValidationFailed: the code is not the app's.
    """
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        user = signins.locked_person_of(family_id, standing.person(actor))
        row = AuthenticatorApp.objects.select_for_update().filter(user=user, confirmed_at=None).first()
        if row is None:
            raise NotFound(_("There is no authenticator app to confirm. Begin again."))
        step = totp.matching_step(_seed_of(row), code, now=moment, after=row.last_step)
        if step is None:
            raise ValidationFailed.one(
                "code", "wrong", _("This is not the code of your app. Check its clock and try the next code.")
            )
        row.confirmed_at, row.last_step = moment, step
        row.save(update_fields=["confirmed_at", "last_step"])
        signins.prove_again(family_id, methods=(CODE,), is_strong=True, now=moment)
        return factors.enrolled(actor, user, MfaChange.APP_ADDED, keep=family_id)


def remove(*, actor: Actor, family_id: UUID | None) -> None:
    """Take the app away; other sign-ins than the present one that showed a code, the app's or a recovery code, end.

    Raises:
        InvalidToken: as `confirm`.
        NotFound: there is none.
    """
    with public_scope(), transaction.atomic():
        user = signins.locked_person_of(family_id, standing.person(actor))
        gone, _rows = AuthenticatorApp.objects.filter(user=user, confirmed_at__isnull=False).delete()
        if not gone:
            raise NotFound(_("There is no authenticator app."))
        factors.removed(actor, user, MfaChange.APP_REMOVED, words=(CODE,), keep=family_id)


def spend(user_id: UUID, code: str, *, now: datetime) -> bool:
    """Whether `code` is the app's at this moment and was not used before; of many at once exactly one succeeds."""
    row = AuthenticatorApp.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()
    step = totp.matching_step(_seed_of(row), code, now=now, after=row.last_step) if row else None
    if step is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"step": step, "user": user_id})
        return cursor.fetchone() is not None


def _seed_of(row: AuthenticatorApp) -> str:
    return sealing.unseal(row.seed, purpose=sealing.purpose_of(row, "seed"))


def _enrolment(user: User, seed: str) -> Enrolment:
    return Enrolment(seed, totp.address(seed, account=user.email, issuer=ISSUER))

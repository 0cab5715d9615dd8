"""What a person or an operator does about second factors beyond setting one up: new recovery codes, a reset."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import Conflict
from apps.core.tenants import public_scope
from apps.iam import factors, recovery_codes, signins, standing
from apps.iam.events import MfaChange
from apps.iam.factor_models import AuthenticatorApp, Passkey
from apps.iam.models import User


def renew_recovery_codes(*, actor: Actor, family_id: UUID | None) -> list[str]:
    """Ten new codes, to be shown this once by the sign-in that asked for them; the earlier ones are void.

    Raises:
        InvalidToken: that sign-in has ended since the request was let in.
        Conflict: the person has no second factor that they would stand in for.
    """
    with public_scope(), transaction.atomic():
        user = signins.locked_person_of(family_id, standing.person(actor))
        if not factors.has_any(user.id):
            raise Conflict(_("Set up an authenticator app or a passkey first."))
        codes = recovery_codes.renew(user.id)
        factors.told(actor, user, MfaChange.CODES_RENEWED)
        return codes


def reset_factors(*, actor: Actor, user_id: UUID) -> bool:
    """Take every second factor of somebody away, as an operator; returns whether there were any. He is signed out.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``.
        NotFound: there is no such person.
    """
    actor.require("platform:write")
    with public_scope(), transaction.atomic():
        user = User.objects.locked(user_id)
        had_any = factors.has_any(user.id)
        AuthenticatorApp.objects.filter(user=user).delete()
        Passkey.objects.filter(user=user).delete()
        recovery_codes.clear(user.id)
        if had_any:
            signins.end_all(user, "mfa_reset", now=utcnow())
            factors.told(actor, user, MfaChange.RESET)
        return had_any

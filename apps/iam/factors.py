"""What second factors a person has, and what is told when that changes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.events import publish
from apps.core.tenants import public_scope
from apps.iam import recovery_codes, signins
from apps.iam.events import MfaChange, MfaChanged
from apps.iam.factor_models import AuthenticatorApp, Passkey
from apps.iam.models import TokenFamily, User

# What a person may be asked for, in the words of the API.
APP, PASSKEY, RECOVERY_CODE = "otp", "passkey", "recovery_code"


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """One passkey as its person sees it. `is_synced`: it lives in a password manager, not in one device."""

    id: UUID
    name: str
    is_synced: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class FactorsView:
    """A person's second factors. `app_since` is empty without an authenticator app."""

    app_since: datetime | None
    passkeys: tuple[PasskeyView, ...]
    recovery_codes_left: int

    @property
    def has_any(self) -> bool:
        """Whether the person is asked for one at sign-in."""
        return self.app_since is not None or bool(self.passkeys)

    @property
    def methods(self) -> tuple[str, ...]:
        """What the person may answer with."""
        offered = {APP: self.app_since is not None, PASSKEY: bool(self.passkeys)}
        found = [name for name, has in offered.items() if has]
        return (*found, RECOVERY_CODE) if found and self.recovery_codes_left else tuple(found)


def of(user_id: UUID) -> FactorsView:
    """A person's factors."""
    with public_scope():
        app = AuthenticatorApp.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()
        rows = Passkey.objects.filter(user_id=user_id).order_by("pk")
        return FactorsView(
            app.confirmed_at if app else None,
            tuple(PasskeyView(row.id, row.name, row.is_synced, row.created_at, row.last_used_at) for row in rows),
            recovery_codes.left(user_id),
        )


def has_any(user_id: UUID) -> bool:
    """Whether a password alone does not sign this person in."""
    with public_scope():
        apps = AuthenticatorApp.objects.filter(user_id=user_id, confirmed_at__isnull=False)
        return apps.exists() or Passkey.objects.filter(user_id=user_id).exists()


def enrolled(actor: Actor, user: User, change: MfaChange, *, keep: UUID | None, detail: str = "") -> list[str]:
    """Note a new factor of a locked person, in the caller's transaction; returns recovery codes if there were none.

    Other sign-ins than `keep` that no second factor proved end (OWASP ASVS 5.0, 7.4.3): whoever knows the password
    alone may be in one of them.
    """
    signins.end_unproved(user, keep=keep, reason="factor_added")
    told(actor, user, change, detail=detail)
    return [] if recovery_codes.left(user.id) else recovery_codes.renew(user.id)


def removed(
    actor: Actor, user: User, change: MfaChange, *, words: Collection[str], keep: UUID | None, detail: str = ""
) -> None:
    """Note that a factor of a locked person is gone, in the caller's transaction, and what its proofs were worth.

    Other sign-ins than `keep` that showed one of its ``amr`` `words` end (OWASP ASVS 5.0, 7.4.3): whoever has it
    now may be in one of them. Without any factor codes are void and no sign-in counts as strong any more.
    """
    ended = signins.end_proved_by(user, words, keep=keep, reason="factor_removed")
    user.factors_removed_at = utcnow()
    user.save(update_fields=["factors_removed_at", "updated_at"])
    if not has_any(user.id):
        recovery_codes.clear(user.id)
        TokenFamily.objects.filter(user_id=user.id, revoked_at=None).update(strong_at=None)
    told(actor, user, change, detail=detail, facts={"ended": ended})


def told(
    actor: Actor, user: User, change: MfaChange, *, detail: str = "", facts: Mapping[str, object] | None = None
) -> None:
    """Audit a change with its `facts` and tell the person by mail. `detail` is a passkey's name."""
    after = {**({"passkey": detail} if detail else {}), **(facts or {})}
    audit.record(
        actor=actor,
        action=f"iam.mfa.{change.value}",
        entity_type="user",
        entity_id=user.id,
        entity_label=user.email,
        after=after or None,
        severity=Severity.HIGH,
    )
    publish(
        MfaChanged(
            user_id=user.id, email=user.email, name=user.name, locale=user.locale, change=change.value, detail=detail
        )
    )

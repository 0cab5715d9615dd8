"""API keys: making, rotating and revoking them. A key never holds more than who made it, be that a person or a key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import ids, sealing
from apps.core.actor import Actor, system
from apps.core.clock import utcnow
from apps.core.errors import NotFound, PermissionRefused, ValidationFailed
from apps.core.rest.paging import Page, PageRequest, paginate
from apps.core.tenants import public_scope
from apps.iam import key_secrets, signed_requests, signins, standing
from apps.iam.api_key_models import ApiKey, SignatureAlgorithm
from apps.iam.errors import ApiKeyLimit
from apps.iam.models import User
from apps.iam.permissions import ALL

PERMISSION = "api_keys:write"
MAX_OVERLAP = timedelta(days=7)
DEFAULT_OVERLAP = timedelta(days=1)
# Ownership is a person's to give.
SCOPES: frozenset[str] = ALL - {"ownership:transfer"}


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A key and what is shown of it this once: its text, and the shared secret of signatures (empty without one)."""

    key: ApiKey
    secret: str
    signing_secret: str


def create_api_key(
    *,
    actor: Actor,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    algorithm: str = SignatureAlgorithm.NONE,
    public_key: str = "",
    family_id: UUID | None = None,
    now: datetime | None = None,
) -> NewSecret:
    """Make a key that acts as the actor, with `scopes` at most. `family_id`: the sign-in by which a person makes it.

    Raises:
        InvalidToken: that sign-in has ended since the request was let in.
        PermissionRefused: the actor lacks ``api_keys:write`` or one of the scopes, acts in another's name, or is a key
            that would make one which lives longer or proves less than itself.
        ValidationFailed: no name, no scope, an unknown one, an expiry in the past, or no key for the algorithm.
        ApiKeyLimit: the workspace has too many.
    """
    moment = now or utcnow()
    tenant_id, wanted = standing.tenant_of(actor), sorted(set(scopes))
    name = _checked_name(name)
    _check_scopes(wanted)
    if expires_at is not None and expires_at <= moment:
        raise ValidationFailed.one("expires_at", "in_the_past", _("A key expires in the future."))
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        maker = _locked_maker(actor, family_id)
        _require_holding(actor, tenant_id, wanted)
        _require_within_maker(actor, expires_at, algorithm)
        if _living(tenant_id, moment).count() >= settings.API_KEYS_PER_WORKSPACE:
            raise ApiKeyLimit(_("Revoke keys that nobody uses: a workspace may have %d.") % _limit())
        key = ApiKey(
            tenant_id=tenant_id,
            user=maker,
            maker_key_id=actor.api_key_id,
            name=name,
            scopes=wanted,
            algorithm=algorithm,
            created_at=moment,
            expires_at=expires_at,
        )
        made = _with_new_secret(key, public_key)
        key.save(force_insert=True)
        _record(actor, key, "iam.api_key.create", after=_facts(key), severity=Severity.HIGH)
        return made


def rotate_api_key(
    *,
    actor: Actor,
    key_id: UUID,
    overlap: timedelta = DEFAULT_OVERLAP,
    public_key: str = "",
    family_id: UUID | None = None,
    now: datetime | None = None,
) -> NewSecret:
    """Give one's own key a new secret; the present one is good for `overlap` more, a former one no longer.

    A key that is signed by a public key keeps it unless another is given. `family_id` as in `create_api_key`.

    Raises:
        InvalidToken: as `create_api_key`.
        PermissionRefused: as `create_api_key`; or somebody else's key, whose rights the actor would get by its secret;
            or the actor is a key that is neither this one nor made it.
        NotFound: no living key here.
        ValidationFailed: the overlap is negative or above seven days.
    """
    moment, tenant_id = now or utcnow(), standing.tenant_of(actor)
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ValidationFailed.one("overlap_seconds", "out_of_range", _("The overlap is seven days at most."))
    with public_scope(), transaction.atomic():
        _locked_maker(actor, family_id)
        key = _locked(_living(tenant_id, moment), key_id)
        _require_holding(actor, tenant_id, key.scopes)
        if key.user_id != actor.user_id:
            raise PermissionRefused(_("Only who made a key can rotate it. Revoke it instead."))
        _require_own_or_made(actor, key)
        present = _opened(key)
        key.previous_digest, key.previous_until = (key.digest, moment + overlap) if overlap else (None, None)
        key.previous_verifier = _sealed(key, "previous_verifier", present) if overlap else ""
        made = _with_new_secret(key, public_key or present)
        key.rotated_at = moment
        key.save()
        after = {"hint": key.hint, "overlap_seconds": int(overlap.total_seconds())}
        _record(actor, key, "iam.api_key.rotate", after=after, severity=Severity.HIGH)
        return made


def revoke_api_key(*, actor: Actor, key_id: UUID) -> None:
    """End a key at once, and the keys that it made. Everybody who may manage keys may do this with everybody's.

    Raises:
        PermissionRefused: the actor lacks ``api_keys:write``, or is a key with less than that one.
        NotFound: no living key here.
    """
    tenant_id = standing.tenant_of(actor)
    with public_scope(), transaction.atomic():
        key = _locked(ApiKey.objects.filter(tenant_id=tenant_id, revoked_at=None), key_id)
        if actor.api_key_id is None:
            standing.held_now(actor, tenant_id, PERMISSION)
        else:
            _require_holding(actor, tenant_id, key.scopes)
        _end(actor, [key], "revoked")


def revoke_as_operator(*, actor: Actor, key_id: UUID) -> None:
    """End a key of any tenant at once, and the keys that it made.

    Raises:
        PermissionRefused: the actor is no operator who may change things.
        NotFound: no living key.
    """
    actor.require("platform:write")
    with public_scope(), transaction.atomic():
        key = ApiKey.objects.select_for_update().filter(pk=key_id, revoked_at=None).first()
        if key is None:
            raise NotFound(_("There is no such API key."))
        _end(actor, [key], "operator")


def revoke_keys_of(*, tenant_id: UUID, user_id: UUID, reason: str) -> int:
    """End all keys that a person made in a tenant, in the caller's transaction; returns how many were alive."""
    with public_scope(), transaction.atomic():
        rows = list(ApiKey.objects.select_for_update().filter(tenant_id=tenant_id, user_id=user_id, revoked_at=None))
        return _end(system(tenant_id), rows, reason)


def revoke_everywhere(*, user_id: UUID, reason: str) -> int:
    """End all keys that a person made in any tenant, in the caller's transaction; returns how many were alive."""
    with public_scope():
        tenants = ApiKey.objects.filter(user_id=user_id, revoked_at=None).order_by("tenant_id")
        wanted = list(tenants.values_list("tenant_id", flat=True).distinct())
    return sum(revoke_keys_of(tenant_id=tenant_id, user_id=user_id, reason=reason) for tenant_id in wanted)


def count_living(*, user_id: UUID, now: datetime | None = None) -> int:
    """How many keys of a person work now, in all tenants together."""
    moment = now or utcnow()
    with public_scope():
        rows = ApiKey.objects.filter(user_id=user_id, revoked_at=None)
        return rows.filter(Q(expires_at=None) | Q(expires_at__gt=moment)).count()


def list_api_keys(*, actor: Actor, page: PageRequest, with_revoked: bool = False) -> Page[ApiKey]:
    """The keys of the actor's tenant with their makers, newest first; revoked ones only when asked for.

    Raises:
        PermissionRefused: the actor lacks ``api_keys:write``.
    """
    actor.require(PERMISSION)
    rows = ApiKey.objects.select_related("user").filter(tenant_id=standing.tenant_of(actor))
    with public_scope():
        return paginate(rows if with_revoked else rows.filter(revoked_at=None), page)


def expiry_of(key_id: UUID) -> datetime | None:
    """When a key ends by itself; empty when it does not."""
    with public_scope():
        return ApiKey.objects.values_list("expires_at", flat=True).get(pk=key_id)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise ValidationFailed.one("name", "required", _("Give the key a name."))
    return name[:100]


def _check_scopes(wanted: list[str]) -> None:
    if not wanted:
        raise ValidationFailed.one("scopes", "required", _("Choose at least one permission."))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise ValidationFailed.one("scopes", "unknown_scope", _("There is no such permission: %s") % unknown[0][:40])


def _limit() -> int:
    return int(settings.API_KEYS_PER_WORKSPACE)


def _require_holding(actor: Actor, tenant_id: UUID, scopes: Iterable[str]) -> None:
    if actor.impersonator_id is not None:
        raise PermissionRefused(_("Nobody makes keys in another’s name."))
    held = standing.held_now(actor, tenant_id, PERMISSION)
    if held is None or (lacking := sorted(set(scopes) - held)):
        detail = _("Nobody grants what he lacks.")
        raise PermissionRefused(detail if held is None else f"{detail} ({', '.join(lacking)})")


def _locked_maker(actor: Actor, family_id: UUID | None) -> User:
    # First the person, then his keys: in the order of who ends them. What a program makes ends with its key and needs
    # no sign-in; what a stolen sign-in made would outlive that.
    return signins.locked_person_of(None if actor.api_key_id else family_id, standing.person(actor))


def _require_within_maker(actor: Actor, expires_at: datetime | None, algorithm: str) -> None:
    if actor.api_key_id is None:
        return
    maker = ApiKey.objects.select_for_update().filter(pk=actor.api_key_id, revoked_at=None).first()
    if maker is None:
        raise PermissionRefused
    if maker.expires_at is not None and (expires_at is None or expires_at > maker.expires_at):
        raise PermissionRefused(_("A key makes no key that lives longer than itself."))
    if maker.algorithm and not algorithm:
        raise PermissionRefused(_("A key whose requests are signed makes no key whose are not."))


def _require_own_or_made(actor: Actor, key: ApiKey) -> None:
    if actor.api_key_id in (None, key.id):
        return
    # With the secret of any other it would live on when it is revoked.
    if key.maker_key_id != actor.api_key_id:
        raise PermissionRefused(_("A key rotates itself and the keys that it made."))
    _require_within_maker(actor, key.expires_at, key.algorithm)


def _living(tenant_id: UUID, moment: datetime) -> QuerySet[ApiKey]:
    rows = ApiKey.objects.filter(tenant_id=tenant_id, revoked_at=None)
    return rows.filter(Q(expires_at=None) | Q(expires_at__gt=moment))


def _locked(rows: QuerySet[ApiKey], key_id: UUID) -> ApiKey:
    key = rows.select_related("user").select_for_update(of=("self",)).filter(pk=key_id).first()
    if key is None:
        raise NotFound(_("There is no such API key."))
    return key


def _with_new_secret(key: ApiKey, public_key: str) -> NewSecret:
    secret = key_secrets.new_secret()
    key.pepper, key.digest = key_secrets.newest_digest(secret)
    key.hint = key_secrets.hint_of(secret)
    if key.algorithm not in SignatureAlgorithm.values:
        raise ValidationFailed.one("signature_algorithm", "unknown", _("There is no such algorithm."))
    if key.algorithm == SignatureAlgorithm.NONE:
        return NewSecret(key, secret, "")
    shared = ids.secret_token() if key.algorithm == SignatureAlgorithm.HMAC_SHA256 else ""
    proof = shared or signed_requests.public_key(public_key, SignatureAlgorithm(key.algorithm))
    key.verifier = _sealed(key, "verifier", proof)
    return NewSecret(key, secret, shared)


def _opened(key: ApiKey) -> str:
    if not key.verifier:
        return ""
    return sealing.unseal(key.verifier, purpose=sealing.purpose_of(key, "verifier"))


def _sealed(key: ApiKey, column: str, proof: str) -> str:
    return sealing.seal(proof, purpose=sealing.purpose_of(key, column)) if proof else ""


def _end(actor: Actor, keys: list[ApiKey], reason: str) -> int:
    ended, moment = 0, utcnow()
    while keys:
        for key in keys:
            key.revoked_at, key.revoked_reason = moment, reason
            key.save(update_fields=["revoked_at", "revoked_reason"])
            _record(actor, key, "iam.api_key.revoke", after={"reason": reason}, severity=Severity.HIGH)
        ended += len(keys)
        made = ApiKey.objects.select_for_update().filter(maker_key__in=[key.pk for key in keys], revoked_at=None)
        keys, reason = list(made), "maker_revoked"
    return ended


def _facts(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "hint": key.hint,
        "scopes": list(key.scopes),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "signature": str(key.algorithm),
    }


def _record(actor: Actor, key: ApiKey, action: str, *, after: Mapping[str, object], severity: Severity) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="api_key",
        entity_id=key.id,
        entity_label=key.name,
        after=dict(after),
        severity=severity,
        tenant_id=key.tenant_id,
    )

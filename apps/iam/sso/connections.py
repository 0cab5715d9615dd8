"""Setting up a tenant's identity provider.

Who changes a connection bounds whom it lets in: nobody who may do more than himself (`editor_permissions`). Otherwise
an administrator could point it at a provider of his own and come in as an owner.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import fetching, sealing, versions
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import FieldError, IllegalState, NotFound, ValidationFailed
from apps.core.events import publish
from apps.core.fetching import FetchFailed
from apps.core.tenants import assert_no_transaction, public_scope
from apps.iam import signins, standing
from apps.iam.events import SsoChanged
from apps.iam.permissions import ALL
from apps.iam.sso import attempts, enforcing, mail_domains, mapped, providers
from apps.iam.sso.errors import ProviderFailed
from apps.iam.sso.models import SsoConnection, SsoLink
from apps.tenancy import selectors as tenancy

PERMISSION = "sso:write"
# Changing one of these changes who comes in.
_IDENTITY = ("issuer", "client_id", "client_secret", "trusts_email")
_PLAIN = ("name", "is_enabled", "is_required", "admits_new", "default_role", "group_claim", "group_roles")
_UNEDITED = ("tested_at", "updated_at")
MOST_GROUPS = 100
# Of a tenant without a connection.
NO_VERSION = versions.version_of({})


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection without its secret; `tested_at` is when the provider last answered as it should."""

    id: UUID
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    is_enabled: bool
    is_required: bool
    admits_new: bool
    trusts_email: bool
    default_role: str
    group_claim: str
    group_roles: dict[str, str]
    tested_at: datetime | None
    updated_at: datetime

    @property
    def version(self) -> str:
        """The version of what people edit."""
        return versions.version_of({name: value for name, value in asdict(self).items() if name not in _UNEDITED})


@dataclass(frozen=True, slots=True)
class EntranceView:
    """What a sign-in page says of a tenant's own sign-in."""

    name: str
    is_required: bool


def entrance(tenant_id: UUID) -> EntranceView | None:
    """The tenant's own sign-in, if it is switched on."""
    with public_scope():
        row = SsoConnection.objects.filter(tenant_id=tenant_id, is_enabled=True).first()
    return EntranceView(row.name, row.is_required) if row else None


def get_connection(*, actor: Actor) -> ConnectionView | None:
    """The tenant's connection, if there is one.

    Raises:
        PermissionRefused: the actor lacks ``sso:write``.
    """
    actor.require(PERMISSION)
    with public_scope():
        row = SsoConnection.objects.filter(tenant_id=standing.tenant_of(actor)).first()
    return _view(row) if row else None


def redirect_uri(*, actor: Actor) -> str:
    """Where the provider sends people back to."""
    return attempts.redirect_uri(tenancy.tenant_by_id(standing.tenant_of(actor)))


def save_connection(*, actor: Actor, values: dict[str, Any], expected: versions.Expected = None) -> ConnectionView:
    """Write the tenant's only connection; what `values` leaves out stays, and so does the secret if it is empty.

    Another issuer needs its own secret: the present one would be shown to it at the next sign-in.

    Changing the provider ends what it vouched for; requiring it ends sign-ins by password that it binds.

    Raises:
        PermissionRefused: the actor lacks ``sso:write``, or what a role that he names holds.
        ValidationFailed: a value is wrong, or a new connection lacks one.
        IllegalState: it is to be required before it was tested, or without a proved domain.
        VersionConflict: its version, `NO_VERSION` of none, is not among `expected`.
    """
    actor.require(PERMISSION)
    tenant_id = standing.tenant_of(actor)
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        held = standing.held_now(actor, tenant_id, PERMISSION)
        row = SsoConnection.objects.select_for_update().filter(tenant_id=tenant_id).first()
        versions.require(expected, _view(row).version if row else NO_VERSION)
        is_new = row is None
        row = row or SsoConnection(tenant_id=tenant_id)
        wanted = _checked(row, values, held, tenant_id)
        secret = wanted.pop("client_secret", "")
        before = _write(row, wanted, secret)
        moves = is_new or bool(secret) or any(name in before for name in _IDENTITY)
        if moves:
            row.tested_at = None
            row.editor_permissions = sorted(held if held is not None else ALL)
        _check_required(row)
        row.save()
        _end_what_is_over(row, before, moves=moves and not is_new)
        _record(
            actor,
            row,
            "create" if is_new else "update",
            before=None if is_new else before,
            after={name: wanted[name] for name in (wanted if is_new else before)},
            has_new_secret=bool(secret),
        )
        if is_new or before or secret:
            _tell(actor, row)
        return _view(row)


def remove_connection(*, actor: Actor, expected: versions.Expected = None) -> None:
    """Take the connection away with everything that it vouched for.

    Raises:
        PermissionRefused: the actor lacks ``sso:write``.
        NotFound: there is none.
        VersionConflict: its version is not among `expected`.
    """
    actor.require(PERMISSION)
    tenant_id = standing.tenant_of(actor)
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        standing.held_now(actor, tenant_id, PERMISSION)
        row = _row(tenant_id)
        versions.require(expected, _view(row).version)
        signins.revoke(enforcing.federated_families(tenant_id), "sso_changed")
        SsoLink.objects.filter(tenant_id=tenant_id).delete()
        _record(actor, row, "remove", before={"issuer": row.issuer}, after={})
        row.delete()
        _tell(actor, row, is_removed=True)


def test_connection(*, actor: Actor, now: datetime | None = None) -> ConnectionView:
    """Ask the provider for its description and keys now. Talks to the outside: no transaction may be open.

    Raises:
        PermissionRefused, NotFound: as `remove_connection`.
        ProviderFailed: it does not answer as it should; `reason` says what is wrong.
    """
    assert_no_transaction("Asking an identity provider")
    actor.require(PERMISSION)
    tenant_id = standing.tenant_of(actor)
    with public_scope():
        seen = _row(tenant_id)
    try:
        providers.read_keys(providers.discover(seen.issuer, fresh=True), fresh=True)
    except ProviderFailed as error:
        with public_scope(), transaction.atomic():
            _record(actor, seen, "fail_test", after={"reason": error.extra.get("reason", "")})
        raise
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        standing.held_now(actor, tenant_id, PERMISSION)
        row = _row(tenant_id)
        if row.issuer == seen.issuer:
            row.tested_at = now or utcnow()
            row.save(update_fields=["tested_at"])
            _record(actor, row, "test", after={"issuer": row.issuer})
        return _view(row)


def secret_of(row: SsoConnection) -> str:
    """The client secret, for the provider alone."""
    return sealing.unseal(row.client_secret, purpose=sealing.purpose_of(row, "client_secret"))


def _checked(
    row: SsoConnection, values: dict[str, Any], held: frozenset[str] | None, tenant_id: UUID
) -> dict[str, Any]:
    wanted = {name: values[name] for name in (*_IDENTITY, *_PLAIN) if name in values}
    errors: list[FieldError] = []
    for name in ("name", "issuer", "client_id"):
        if name in wanted:
            wanted[name] = str(wanted[name]).strip()
        if not wanted.get(name, getattr(row, name)):
            errors.append(FieldError(name, "required", _("This field is required.")))
    if issuer := wanted.get("issuer"):
        try:
            fetching.require_public_form(issuer)
        except FetchFailed:
            errors.append(FieldError("issuer", "invalid", _("Enter the provider’s address, beginning with https://.")))
        if "?" in issuer or "#" in issuer:
            errors.append(FieldError("issuer", "invalid", _("An issuer has neither ? nor #.")))
    if errors:
        raise ValidationFailed(errors)
    if "default_role" in wanted:
        wanted["default_role"] = _role(wanted["default_role"], row.default_role, held, tenant_id, "default_role")
    # Another claim makes other people of the same groups: what these get is given anew.
    known = row.group_roles if wanted.get("group_claim", "") in ("", row.group_claim) else {}
    if "group_roles" in wanted or known != row.group_roles:
        given = wanted.get("group_roles", row.group_roles)
        wanted["group_roles"] = _group_roles(given, known, held, tenant_id)
    return wanted


def _group_roles(
    given: dict[str, str], known: dict[str, str], held: frozenset[str] | None, tenant_id: UUID
) -> dict[str, str]:
    if len(given) > MOST_GROUPS:
        raise ValidationFailed.one("group_roles", "too_many", _("At most 100 groups can be named."))
    return {
        group.strip()[:255]: _role(role, known.get(group.strip(), ""), held, tenant_id, "group_roles")
        for group, role in given.items()
        if group.strip()
    }


def _role(word: str, before: str, held: frozenset[str] | None, tenant_id: UUID, field: str) -> str:
    return word if word == before else mapped.granted(held, tenant_id, word, field=field)


def _write(row: SsoConnection, wanted: dict[str, Any], secret: str) -> dict[str, Any]:
    """Put the values and the secret, if there is a new one, on the row; what was there of those that change."""
    before = {name: getattr(row, name) for name in wanted if getattr(row, name) != wanted[name]}
    for name in before:
        setattr(row, name, wanted[name])
    if secret:
        row.client_secret = sealing.seal(secret, purpose=sealing.purpose_of(row, "client_secret"))
    # What one provider gave is shown to no other.
    if not row.client_secret or ("issuer" in before and not secret):
        raise ValidationFailed.one("client_secret", "required", _("Enter the secret that the provider gave you."))
    return before


def _check_required(row: SsoConnection) -> None:
    if row.is_required and not row.is_enabled:
        raise ValidationFailed.one(
            "is_required", "not_enabled", _("Only a sign-in that is switched on can be required.")
        )
    if row.is_required and row.tested_at is None:
        raise IllegalState(_("Test the connection before you require it."), allowed_actions=["test"])
    if row.is_required and not mail_domains.verified_domains(row.tenant_id):
        raise IllegalState(_("Verify a mail domain before you require it."), allowed_actions=["add_domain"])


def _end_what_is_over(row: SsoConnection, before: dict[str, Any], *, moves: bool) -> None:
    if moves or (before.get("is_enabled") and not row.is_enabled):
        signins.revoke(enforcing.federated_families(row.tenant_id), "sso_changed")
    if row.is_required and before.get("is_required") is False:
        signins.revoke(enforcing.overtaken_families(row.tenant_id), "sso_required")


def _row(tenant_id: UUID) -> SsoConnection:
    found = SsoConnection.objects.filter(tenant_id=tenant_id).first()
    if found is None:
        raise NotFound(_("No identity provider is set up."))
    return found


def _view(row: SsoConnection) -> ConnectionView:
    return ConnectionView(
        id=row.id,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        has_secret=bool(row.client_secret),
        is_enabled=row.is_enabled,
        is_required=row.is_required,
        admits_new=row.admits_new,
        trusts_email=row.trusts_email,
        default_role=row.default_role,
        group_claim=row.group_claim,
        group_roles=dict(row.group_roles),
        tested_at=row.tested_at,
        updated_at=row.updated_at,
    )


def _record(
    actor: Actor,
    row: SsoConnection,
    verb: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any],
    has_new_secret: bool = False,
) -> None:
    audit.record(
        actor=actor,
        action=f"iam.sso_connection.{verb}",
        entity_type="sso_connection",
        entity_id=row.id,
        entity_label=row.name,
        before=before,
        after={**after, "client_secret": "changed"} if has_new_secret else after,
        severity=Severity.INFO if verb == "test" else Severity.HIGH,
        tenant_id=row.tenant_id,
    )


def _tell(actor: Actor, row: SsoConnection, *, is_removed: bool = False) -> None:
    publish(
        SsoChanged(
            tenant_id=row.tenant_id,
            is_enabled=row.is_enabled and not is_removed,
            is_required=row.is_required and not is_removed,
            is_removed=is_removed,
            provider=row.name,
            by=actor.name,
        )
    )

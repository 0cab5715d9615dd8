"""Making a tenant out of an archive: under which id, key and name it can live here, and its schema and row."""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.core import ids
from apps.core.errors import FieldError, ValidationFailed
from apps.tenancy import rollout
from apps.tenancy.errors import NameTaken, OnlyWorkspace
from apps.tenancy.models import SLUG, Domain, ProvisioningStep, SchemaStep, Tenant, TenantStatus
from apps.tenancy.pending import digest_of
from apps.tenancy.schema_steps import script_of
from apps.tenancy.services import RESERVED_SLUGS
from apps.tenancy.template_schema import held_template

_HISTORY_TABLE = re.compile(r'^CREATE TABLE "django_migrations" \(.*?^\);$', re.MULTILINE | re.DOTALL)
# Written by the platform itself and never by an archive.
_OWN = frozenset(
    {
        *("id", "key", "slug", "name", "schema_name", "schema_version", "database_alias", "primary_domain"),
        *("status", "status_reason", "status_before_deletion", "suspended_by", "is_default"),
        *("provisioning_step", "provisioning_started_at", "deleted_at", "purge_after", "purge_started_at"),
        *("created_at", "updated_at"),
    }
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a tenant is called here; `slug` names its host."""

    id: UUID
    key: str
    slug: str
    name: str
    schema_name: str

    @property
    def host(self) -> str:
        """Its sub-domain, without a port."""
        return f"{self.slug}.{settings.PLATFORM_HOST}"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How a schema with certain migrations is made, and brought up to `version` once its rows are in.

    `upgrade` is empty when there is nothing to bring up to date.
    """

    version: str
    script: str
    upgrade: str


def free_identity(*, tenant_id: UUID, key: str, slug: str, name: str, wanted_name: str, wanted_slug: str) -> Identity:
    """The archive's own id, key, slug and name where they are free here, new ones where not.

    A name that is taken is not changed by itself: people know the organisation by it.

    Raises:
        NameTaken: the name, or the slug that was asked for, is another tenant's.
        ValidationFailed: the slug or the name has not the form of one.
        OnlyWorkspace: the installation has one workspace and no room for another.
    """
    if rollout.is_single():
        raise OnlyWorkspace("This installation has one workspace only; nothing can be imported beside it.")
    name = " ".join((wanted_name or name).split())
    if not name or len(name) > 100:
        raise _refusal("name", "A name has 1 to 100 characters.")
    if Tenant.objects.filter(name=name).exists():
        raise NameTaken(f"There is an organisation called {name} already; choose another name for the imported one.")
    if Tenant.objects.filter(pk=tenant_id).exists():
        tenant_id = ids.uuid7()
    if Tenant.objects.filter(key=key).exists():
        key = ids.tenant_key()
    return Identity(tenant_id, key, _slug(slug, name, key, wanted_slug), name, ids.schema_name())


def schema_state(migrations: list[str]) -> SchemaState | None:
    """The state with exactly these migrations (``app.name``); None when one of them is unknown here.

    None, too, when a migration between that state and the newest runs Python: it has no text to be replayed. Call it
    in the transaction that makes the schema: the newest state stays the newest until then.
    """
    newest = held_template()
    if newest.migration_digest == digest_of(migrations):
        return SchemaState(newest.version, newest.script, "")
    wanted = set(migrations)
    known = {f"{step.app}.{step.name}": step for step in SchemaStep.objects.filter(is_text=True)}
    history = _HISTORY_TABLE.search(newest.script)
    if history is None or not wanted or not wanted <= set(newest.migrations) <= known.keys():
        return None
    texts = {name: (known[name].app, known[name].name, known[name].sql) for name in newest.migrations}
    return SchemaState(
        newest.version,
        f"{history[0]}\n{script_of([text for name, text in texts.items() if name in wanted])}",
        script_of([text for name, text in texts.items() if name not in wanted]),
    )


def write_tenant(identity: Identity, *, schema_version: str, values: dict[str, Any]) -> Tenant:
    """Insert the tenant, active, with its sub-domain, in the caller's transaction.

    `values`: columns as an archive's manifest has them; unknown ones and those of the platform are passed over.

    Raises:
        NameTaken: somebody took name, slug or key at this moment.
        ValidationFailed: a value is none that the column takes.
    """
    tenant = Tenant(
        id=identity.id,
        key=identity.key,
        slug=identity.slug,
        name=identity.name,
        schema_name=identity.schema_name,
        schema_version=schema_version,
        status=TenantStatus.ACTIVE,
        provisioning_step=ProvisioningStep.READY,
    )
    given = []
    for field in Tenant._meta.concrete_fields:
        if field.column in values and field.column not in _OWN and not field.is_relation:
            setattr(tenant, field.attname, values[field.column])
            given.append(field.name)
    try:
        tenant.clean_fields(exclude=[field.name for field in Tenant._meta.concrete_fields if field.name not in given])
        with transaction.atomic():
            tenant.save(force_insert=True)
            Domain.objects.create(domain=identity.host, tenant=tenant, is_primary=True)
    except ValidationError as error:
        reason = json.dumps(error.message_dict)[:300]
        raise _refusal("tenant", f"The archive's settings are not valid: {reason}") from error
    except IntegrityError as error:
        raise NameTaken("This organisation name or address is already taken.") from error
    return tenant


def _slug(slug: str, name: str, key: str, wanted: str) -> str:
    if wanted:
        try:
            SLUG(wanted)
        except ValidationError as error:
            raise _refusal("slug", str(error.messages[0])) from error
        if not _is_free(wanted):
            raise NameTaken(f"The address {wanted}.{settings.PLATFORM_HOST} is already taken.")
        return wanted
    candidates = [slug, slugify(name)[:40].strip("-")]
    fitting = [candidate for candidate in candidates if re.fullmatch(SLUG.regex, candidate)]
    return next((candidate for candidate in fitting if _is_free(candidate)), f"{(fitting or ['w'])[-1][:40]}-{key[:4]}")


def _is_free(slug: str) -> bool:
    host = f"{slug}.{settings.PLATFORM_HOST}"
    taken = Tenant.objects.filter(slug=slug).exists() or Domain.objects.filter(domain=host).exists()
    return slug not in RESERVED_SLUGS and not taken


def _refusal(field: str, detail: str) -> ValidationFailed:
    return ValidationFailed([FieldError(field, "invalid", detail)], detail)

"""Adding, changing and removing clients."""

from collections.abc import Iterator
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from babel import Locale, UnknownLocaleError
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import events, versions
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import FieldError, ValidationFailed
from apps.core.money import is_currency
from apps.core.tenants import current_tenant_id
from apps.invoices import trail
from apps.invoices.errors import ClientNotFound
from apps.invoices.events import ClientCreated, ClientDeleted, ClientUpdated
from apps.invoices.models import Client
from apps.invoices.projections import ClientView, client_view
from apps.tenancy import selectors as tenancy


class ClientChanges(TypedDict, total=False):
    """What may be set on a client; what is left out stays."""

    name: str
    email: str
    phone: str
    address: str
    tax_id: str
    notes: str
    locale: str
    currency: str


def create_client(*, actor: Actor, fields: ClientChanges) -> ClientView:
    """Add a client; language and currency are the tenant's unless given.

    Raises:
        PermissionRefused: the actor lacks ``clients:write``.
        ValidationFailed: a field is missing, too long or malformed.
    """
    actor.require("clients:write")
    with transaction.atomic():
        tenant = tenancy.tenant_by_id(current_tenant_id())
        client = Client(locale=tenant.locale, currency=tenant.currency)
        _apply(client, fields)
        client.save(force_insert=True)
        trail.record_client(actor, "create", client)
        events.publish(ClientCreated(tenant_id=tenant.id, client_id=client.id, name=client.name))
        return client_view(client)


def update_client(
    *, actor: Actor, client_id: UUID, changes: ClientChanges, expected: versions.Expected = None
) -> ClientView:
    """Change a client. Issued invoices keep the name and address that they were issued with.

    Raises:
        ClientNotFound: unknown or deleted.
        VersionConflict: its version is not among `expected`.
        ValidationFailed: a field is too long or malformed.
    """
    actor.require("clients:write")
    with transaction.atomic():
        client = _lock(client_id)
        versions.require(expected, client_view(client).version)
        before = trail.client_state(client)
        _apply(client, changes)
        if trail.client_state(client) == before:
            return client_view(client)
        client.save()
        trail.record_client(actor, "update", client, before=before)
        events.publish(ClientUpdated(tenant_id=current_tenant_id(), client_id=client.id, name=client.name))
        return client_view(client)


def delete_client(
    *, actor: Actor, client_id: UUID, expected: versions.Expected = None, now: datetime | None = None
) -> None:
    """Take a client off the list; its invoices stay.

    Raises:
        ClientNotFound: unknown, or deleted before.
        VersionConflict: its version is not among `expected`.
    """
    actor.require("clients:write")
    with transaction.atomic():
        client = _lock(client_id)
        versions.require(expected, client_view(client).version)
        before = trail.client_state(client)
        client.deleted_at = now or utcnow()
        client.save(update_fields=["deleted_at", "updated_at"])
        trail.record_client(actor, "delete", client, before=before)
        events.publish(ClientDeleted(tenant_id=current_tenant_id(), client_id=client.id, name=client.name))


def _lock(client_id: UUID) -> Client:
    client = Client.objects.select_for_update().filter(pk=client_id, deleted_at=None).first()
    if client is None:
        raise ClientNotFound
    return client


def _apply(client: Client, fields: ClientChanges) -> None:
    for name, value in fields.items():
        setattr(client, name, str(value).strip())
    errors = list(_errors(client))
    if errors:
        raise ValidationFailed(errors)


def _errors(client: Client) -> Iterator[FieldError]:
    if not is_currency(client.currency):
        yield FieldError("currency", "unknown_currency", _("This is not a currency we know."))
    try:
        Locale.parse(client.locale.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        yield FieldError("locale", "invalid", _("A language looks like “en” or “de-CH”."))
    try:
        client.clean_fields(exclude=["currency"])
    except ValidationError as refused:
        for field, problems in refused.error_dict.items():
            for problem in problems:
                yield FieldError(field, problem.code or "invalid", " ".join(problem.messages))

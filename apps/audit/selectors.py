"""Reading the audit trail of one tenant."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import CharField, F, Func, Q, QuerySet

from apps.audit.models import AuditEntry
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.core.rest.paging import Page, PageRequest, paginate
from apps.core.rest.thin import CompiledList
from apps.core.tenants import Row, public_scope

_SHOWN = (
    *("id", "action", "severity", "actor_kind", "actor_id", "actor_name", "impersonator_id"),
    *("api_key_id", "api_key_name"),
    *("entity_type", "entity_id", "entity_label", "before", "after"),
    *("ip", "user_agent", "source", "correlation_id", "occurred_at"),
)
# What `list_entries` reads without filters, in the columns that are shown; an address as the text that models have.
_shown = attrgetter(*_SHOWN)
_HOST = Func(F("ip"), function="host", output_field=CharField())
NEWEST = CompiledList(
    lambda caller: AuditEntry.objects.filter(tenant_id=caller.tenant_id).values_list(
        *(_HOST if name == "ip" else name for name in _SHOWN)
    )
)
_FILTERS = {"action": "action", "entity_type": "entity_type", "entity_id": "entity_id", "severity": "severity"}


@dataclass(frozen=True, slots=True)
class Change:
    """A change without what it changed. `actor_name` is the person's name, or what the trail calls the actor."""

    actor_name: str
    occurred_at: datetime


def list_entries(*, actor: Actor, page: PageRequest, filters: dict[str, str] | None = None) -> Page[AuditEntry]:
    """The tenant's own entries, newest first. Filters: action, entity_type, entity_id, severity, q.

    Raises:
        PermissionRefused: the actor lacks ``audit:read``.
    """
    actor.require("audit:read")
    return paginate(_filtered(AuditEntry.objects.filter(tenant_id=actor.tenant_id), filters or {}), page)


def get_entry(*, actor: Actor, entry_id: UUID) -> AuditEntry:
    """One entry of the tenant.

    Raises:
        NotFound: unknown, or another tenant's.
    """
    actor.require("audit:read")
    entry = AuditEntry.objects.filter(tenant_id=actor.tenant_id, pk=entry_id).first()
    if entry is None:
        raise NotFound("There is no such entry.")
    return entry


def entity_history(*, tenant_id: UUID, entity_type: str, entity_id: UUID) -> list[AuditEntry]:
    """What happened to one object, oldest first; the caller has checked that it may be shown."""
    entries = AuditEntry.objects.filter(tenant_id=tenant_id, entity_type=entity_type, entity_id=str(entity_id))
    return list(entries.order_by("pk")[:200])


def last_change(*, tenant_id: UUID | None, entity_type: str, entity_id: UUID | str | None) -> Change | None:
    """Who touched one object last, and when; the caller has checked that it may be shown."""
    entries = AuditEntry.objects.filter(tenant_id=tenant_id, entity_type=entity_type, entity_id=str(entity_id))
    entry = entries.order_by("-pk").only("actor_id", "actor_name", "occurred_at").first()
    if entry is None:
        return None
    # The trail keeps the address, which nobody else has; people know each other by name.
    with public_scope():
        person = get_user_model().objects.filter(pk=entry.actor_id).first() if entry.actor_id else None
    return Change(person.name if person else entry.actor_name, entry.occurred_at)


def present(entry: AuditEntry) -> dict[str, Any]:
    """The entry as the API shows it."""
    return dict(zip(_SHOWN, _shown(entry), strict=True))


def present_newest(_tenant: Any, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows of `NEWEST` as the API shows them."""
    return [dict(zip(_SHOWN, row, strict=True)) for row in rows]


def _filtered(entries: QuerySet[AuditEntry], filters: dict[str, str]) -> QuerySet[AuditEntry]:
    for name, column in _FILTERS.items():
        if filters.get(name):
            entries = entries.filter(**{column: filters[name]})
    if filters.get("q"):
        text = filters["q"]
        entries = entries.filter(
            Q(action__icontains=text) | Q(actor_name__icontains=text) | Q(entity_label__icontains=text)
        )
    return entries


def expanded(entry: AuditEntry) -> dict[str, str]:
    """Before and after as indented JSON for people; empty when there is none."""
    return {
        f"{name}_json": json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) if value is not None else ""
        for name, value in (("before", entry.before), ("after", entry.after))
    }

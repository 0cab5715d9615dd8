"""Writing the audit trail."""

import re
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from prometheus_client import Counter

from apps.audit.models import AuditEntry, Severity
from apps.core import correlation
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.tenants import current_scope

__all__ = ["REDACTED", "Severity", "record", "redact"]

_ACTION = re.compile(r"[a-z_]+\.[a-z_]+\.[a-z_]+")
_SECRET = re.compile(r"password|secret|token|authorization|cookie|card_number|cvc|private_key|otp", re.IGNORECASE)
REDACTED = "[redacted]"
_ACTIONS = Counter("insula_actions_total", "What was done and committed, by audit action", ["action"])


def record(
    *,
    actor: Actor,
    action: str,
    entity_type: str,
    entity_id: UUID | str,
    entity_label: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    severity: str = Severity.INFO,
    tenant_id: UUID | None = None,
) -> None:
    """Write one entry in the caller's transaction. `action` is ``app.noun.verb``, past tense left out.

    Secrets are redacted by their key's name. `tenant_id` defaults to the actor's, then to the current one.

    Raises:
        ValueError: `action` is not of that form.
    """
    if not _ACTION.fullmatch(action):
        raise ValueError(f"{action!r} is not app.noun.verb")
    AuditEntry.objects.create(
        tenant_id=tenant_id or actor.tenant_id or current_scope().id,
        action=action,
        severity=severity,
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        actor_name=(actor.email or actor.name)[:254],
        impersonator_id=actor.impersonator_id,
        api_key_id=actor.api_key_id,
        api_key_name=actor.api_key_name[:100],
        entity_type=entity_type,
        entity_id=str(entity_id),
        entity_label=entity_label[:200],
        before=redact(before),
        after=redact(after),
        ip=actor.origin.ip,
        user_agent=actor.origin.user_agent[:300],
        source=actor.origin.source,
        correlation_id=actor.origin.correlation_id or correlation.current(),
        occurred_at=utcnow(),
    )
    # Figures count what has happened, not what was tried.
    transaction.on_commit(partial(_count, action), robust=True)


def _count(action: str) -> None:
    _ACTIONS.labels(action).inc()


def redact(value: Any) -> Any:
    """A JSON-ready copy in which the values of keys that name secrets are replaced."""
    if isinstance(value, dict):
        return {key: REDACTED if _SECRET.search(str(key)) else redact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)

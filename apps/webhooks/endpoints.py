"""Setting endpoints up: adding, changing, switching and removing them, and their secrets."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, TypedDict
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import fetching, ids, versions
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import FieldError, IllegalState, ValidationFailed
from apps.core.fetching import FetchFailed
from apps.core.tenants import current_tenant_id
from apps.webhooks import endpoint_secrets, giving_up
from apps.webhooks.catalogue import PATTERNS
from apps.webhooks.errors import EndpointLimit, EndpointNotFound
from apps.webhooks.models import DisabledReason, Endpoint
from apps.webhooks.selectors import PERMISSION, EndpointView, endpoint_view
from apps.webhooks.sending import breaker_of

# Who counts endpoints before he adds one does so alone.
_ONE_MAKER = "select pg_advisory_xact_lock(hashtextextended('webhooks:' || %s, 0))"
# As SQL, because Django would first load every row that goes, with its text.
_NO_LOG = """
delete from webhooks_attempt a using webhooks_delivery d where d.id = a.delivery_id and d.endpoint_id = %s
"""
_NO_DELIVERIES = "delete from webhooks_delivery where endpoint_id = %s"
DEFAULT_OVERLAP, LONGEST_OVERLAP = timedelta(days=1), timedelta(days=7)


class EndpointChanges(TypedDict, total=False):
    """What may be set on an endpoint; what is left out stays."""

    url: str
    description: str
    event_types: Iterable[str]


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint and its secret, which is shown this once."""

    endpoint: EndpointView
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """An endpoint's new secret, which is shown this once. The former one signs along until `former_until`."""

    endpoint: EndpointView
    secret: str = field(repr=False)
    former_until: datetime | None


def create_endpoint(
    *, actor: Actor, url: str, event_types: Iterable[str], description: str = "", now: datetime | None = None
) -> NewEndpoint:
    """Add an endpoint, which hears of facts from now on.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        ValidationFailed: the address may not be called, or an event type is unknown.
        EndpointLimit: the workspace has as many as it may.
    """
    actor.require(PERMISSION)
    moment = now or utcnow()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_MAKER, [str(current_tenant_id())])
        if Endpoint.objects.count() >= settings.WEBHOOK_ENDPOINTS_PER_WORKSPACE:
            raise EndpointLimit(
                _("Remove endpoints that nobody uses: a workspace may have %d.")
                % settings.WEBHOOK_ENDPOINTS_PER_WORKSPACE
            )
        endpoint = Endpoint(id=ids.uuid7(), created_at=moment, updated_at=moment)
        _apply(endpoint, {"url": url, "description": description, "event_types": event_types})
        endpoint.save(force_insert=True)
        secret = endpoint_secrets.give(endpoint, now=moment)
        _record(actor, "create", endpoint, after=_state(endpoint), severity=Severity.MEDIUM)
        return NewEndpoint(endpoint_view(endpoint), secret)


def update_endpoint(
    *,
    actor: Actor,
    endpoint_id: UUID,
    changes: EndpointChanges,
    expected: versions.Expected = None,
    now: datetime | None = None,
) -> EndpointView:
    """Change what `changes` names. What waits goes to the new address; what was filtered stays as it was.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        EndpointNotFound: unknown, or another tenant's.
        VersionConflict: its version is not among `expected`.
        ValidationFailed: as `create_endpoint`.
    """
    actor.require(PERMISSION)
    with transaction.atomic():
        endpoint = lock(endpoint_id)
        versions.require(expected, endpoint_view(endpoint).version)
        before = _state(endpoint)
        url = endpoint.url
        _apply(endpoint, changes)
        if _state(endpoint) == before and endpoint.url == url:
            return endpoint_view(endpoint)
        endpoint.updated_at = now or utcnow()
        if endpoint.url != url:
            # Another address has not failed yet.
            endpoint.failing_since = None
            transaction.on_commit(breaker_of(endpoint.id).reset, robust=True)
        endpoint.save()
        _record(actor, "update", endpoint, before=before, after=_state(endpoint), severity=Severity.MEDIUM)
        return endpoint_view(endpoint)


def rotate_secret(
    *, actor: Actor, endpoint_id: UUID, overlap: timedelta = DEFAULT_OVERLAP, now: datetime | None = None
) -> NewSecret:
    """Give an endpoint a new secret. For `overlap` more, each message carries signatures by the former one, too.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        EndpointNotFound: unknown, or another tenant's.
        ValidationFailed: the overlap is negative or above seven days.
    """
    actor.require(PERMISSION)
    moment = now or utcnow()
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationFailed.one("overlap_seconds", "out_of_range", _("The overlap is seven days at most."))
    with transaction.atomic():
        endpoint = lock(endpoint_id)
        former_until = endpoint_secrets.retire(endpoint, now=moment, until=moment + overlap)
        secret = endpoint_secrets.give(endpoint, now=moment)
        detail = {"hint": secret[-endpoint_secrets.HINT :], "overlap_seconds": int(overlap.total_seconds())}
        _record(actor, "rotate", endpoint, after=detail, severity=Severity.HIGH)
        return NewSecret(endpoint_view(endpoint), secret, former_until)


def enable_endpoint(*, actor: Actor, endpoint_id: UUID, now: datetime | None = None) -> EndpointView:
    """Let a disabled endpoint hear of facts again, from now on; what it missed can be replayed.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        EndpointNotFound: unknown, or another tenant's.
        IllegalState: it is enabled, or has no secret because it came by an archive.
    """
    actor.require(PERMISSION)
    with transaction.atomic():
        endpoint = lock(endpoint_id)
        if endpoint.is_enabled:
            raise _refused(endpoint, _("This endpoint is enabled already."))
        if not endpoint_secrets.has_current(endpoint):
            raise _refused(endpoint, _("Give this endpoint a new secret first: secrets do not travel by archives."))
        before = {"is_enabled": False, "reason": endpoint.disabled_reason}
        endpoint.is_enabled, endpoint.disabled_reason, endpoint.disabled_at = True, "", None
        endpoint.failing_since, endpoint.updated_at = None, now or utcnow()
        endpoint.save()
        transaction.on_commit(breaker_of(endpoint.id).reset, robust=True)
        _record(actor, "enable", endpoint, before=before, after={"is_enabled": True}, severity=Severity.MEDIUM)
        return endpoint_view(endpoint)


def disable_endpoint(*, actor: Actor, endpoint_id: UUID, now: datetime | None = None) -> EndpointView:
    """Tell an endpoint nothing more until it is enabled. What waits is dead; it can be replayed then.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        EndpointNotFound: unknown, or another tenant's.
        IllegalState: it is disabled already.
    """
    actor.require(PERMISSION)
    with transaction.atomic():
        endpoint = lock(endpoint_id)
        if not endpoint.is_enabled:
            raise _refused(endpoint, _("This endpoint is disabled already."))
        giving_up.disable(endpoint, DisabledReason.BY_MEMBER, actor=actor, now=now or utcnow())
        return endpoint_view(endpoint)


def delete_endpoint(*, actor: Actor, endpoint_id: UUID, expected: versions.Expected = None) -> None:
    """Remove an endpoint with its secrets, its deliveries and their log.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        EndpointNotFound: unknown, another tenant's, or removed before.
        VersionConflict: its version is not among `expected`.
    """
    actor.require(PERMISSION)
    with transaction.atomic():
        # Facts that are just being told to it are waited for, so that none of their rows is left behind.
        endpoint = Endpoint.objects.select_for_update().filter(pk=endpoint_id).first()
        if endpoint is None:
            raise EndpointNotFound
        versions.require(expected, endpoint_view(endpoint).version)
        _record(actor, "delete", endpoint, before=_state(endpoint), severity=Severity.HIGH)
        with connection.cursor() as cursor:
            cursor.execute(_NO_LOG, [endpoint_id])
            cursor.execute(_NO_DELIVERIES, [endpoint_id])
        endpoint.delete()


def lock(endpoint_id: UUID) -> Endpoint:
    """The endpoint, locked until the transaction ends; facts can be told to it all the same.

    Raises:
        EndpointNotFound: unknown, or another tenant's.
    """
    endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise EndpointNotFound
    return endpoint


def _refused(endpoint: Endpoint, detail: str) -> IllegalState:
    return IllegalState(detail, allowed_actions=endpoint_view(endpoint).allowed_actions)


def _apply(endpoint: Endpoint, changes: EndpointChanges) -> None:
    errors: list[FieldError] = []
    if "url" in changes:
        endpoint.url = changes["url"].strip()
        errors += _why_not_called(endpoint.url)
    if "description" in changes:
        endpoint.description = " ".join(changes["description"].replace("\x00", "").split())
        if len(endpoint.description) > 200:
            errors.append(FieldError("description", "max_length", _("A description has 200 characters at most.")))
    if "event_types" in changes:
        endpoint.event_types = sorted(set(changes["event_types"]))
        errors += _why_not_heard(endpoint.event_types)
    if errors:
        raise ValidationFailed(errors)


def _why_not_called(url: str) -> list[FieldError]:
    if len(url) > 500:
        return [FieldError("url", "max_length", _("An address has 500 characters at most."))]
    try:
        fetching.require_public_form(url)
    except FetchFailed as error:
        return [FieldError("url", "invalid", str(error))]
    if "#" in url:
        return [FieldError("url", "invalid", _("Leave out what follows the #: it is never sent."))]
    if not settings.OUTBOUND_PRIVATE_ADDRESSES and not _may_be_public(urlsplit(url).hostname or ""):
        return [FieldError("url", "private_address", _("This address is not on the public internet."))]
    return []


def _may_be_public(host: str) -> bool:
    """What can be said before anything is looked up; the call itself looks at what the name stands for then."""
    host = host.rstrip(".")
    with suppress(OSError):
        # A resolver reads 2130706433, 0x7f.1 and 127.1 as addresses, too.
        host = socket.inet_ntoa(socket.inet_aton(host))
    try:
        ip_address(host)
    except ValueError:
        return host not in ("", "localhost") and not host.endswith((".localhost", ".local", ".internal"))
    return fetching.is_public(host)


def _why_not_heard(event_types: list[str]) -> list[FieldError]:
    if not event_types:
        return [FieldError("event_types", "required", _("Choose at least one type of event."))]
    unknown = [name for name in event_types if name not in PATTERNS]
    told = _("There is no such type of event: %s")
    return [FieldError("event_types", "unknown", told % unknown[0][:60])] if unknown else []


def _state(endpoint: Endpoint) -> dict[str, Any]:
    # The rest of an address may hold a key of the receiver's.
    address = endpoint.url.partition("?")[0]
    return {"url": address, "description": endpoint.description, "event_types": list(endpoint.event_types)}


def _record(
    actor: Actor,
    verb: str,
    endpoint: Endpoint,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    severity: Severity,
) -> None:
    audit.record(
        actor=actor,
        action=f"webhooks.endpoint.{verb}",
        entity_type="webhook_endpoint",
        entity_id=endpoint.id,
        entity_label=endpoint.url.partition("?")[0],
        before=before,
        after=after,
        severity=severity,
        tenant_id=current_tenant_id(),
    )

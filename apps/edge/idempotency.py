"""``Idempotency-Key`` on unsafe calls: the effect once, the same answer as often as it is asked for.

The row that holds the answer commits with the effect, so that no crash leaves one without the other. A view with
transactions of its own (it calls the outside between them) takes a lease instead; `call_id` lets its service find
what a killed attempt has begun. Keys belong to tenant, caller, method and path. Source: PRODUCT, API edge; IETF
draft-ietf-httpapi-idempotency-key-header.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.crypto import salted_hmac

from apps.core import correlation
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import PermissionRefused
from apps.core.sealing import seal, unseal
from apps.edge.errors import KeyInFlight, KeyReused, malformed_key
from apps.edge.models import IdempotencyKey

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_FOR = timedelta(hours=24)
# Longer than any call may take; a call that died is taken up by its repeat after this.
LEASE = timedelta(minutes=2)
UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_KEY = 255
PURGE_BATCH = 5_000
# What belongs to one exchange rather than to the answer.
_NOT_KEPT = frozenset({"date", "set-cookie", "server", "connection", correlation.HEADER.lower()})
# Refusals of who calls, rather than of the call.
_OF_THE_CALLER = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

Run = Callable[[], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Call:
    """What a key stands for: `digest` names caller, route and key; `fingerprint` the body and the query."""

    tenant_id: UUID | None
    digest: bytes
    fingerprint: bytes


class _Named(HttpRequest):
    """A request whose service may ask for `call_id`."""

    idempotency_id: UUID


def call_of(request: HttpRequest, actor: Actor | None, *, principal: str = "") -> Call | None:
    """The call that the request's key stands for; None without a key or where nothing is changed.

    Without an `actor`, `principal` says whose key it is.

    Raises:
        ValidationFailed: the key is empty, too long or not visible ASCII.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method not in UNSAFE_METHODS:
        return None
    key = key.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':  # a structured string (RFC 8941, 3.3.3)
        key = key[1:-1]
    if not 0 < len(key) <= MAX_KEY or not all("!" <= character <= "~" for character in key):
        raise malformed_key()
    tenant_id, caller = None, principal
    if actor is not None:
        tenant_id = actor.tenant_id
        caller = f"{actor.kind}:{actor.user_id}:{actor.impersonator_id}:{actor.api_key_id}"
    return Call(
        tenant_id,
        _digest(str(tenant_id), caller, request.method or "", request.path, key),
        # Keyed: a body may hold a password, and a bare hash of it could be guessed at from a copy of the table.
        salted_hmac(
            "apps.edge.idempotency",
            _digest(request.content_type or "", request.META.get("QUERY_STRING", ""), request.body),
            algorithm="sha256",
        ).digest(),
    )


def is_open_to(view: Any, actor: Actor, method: str) -> bool:
    """Whether the actor may call the view now. Who may not gets its refusal, and no answer kept from better days."""
    require: Callable[[Actor, str], None] | None = getattr(getattr(view, "cls", None), "require_permitted", None)
    try:
        if require is not None:
            require(actor, method)
    except PermissionRefused:
        return False
    return True


def answer_within_transaction(call: Call, run: Run) -> HttpResponseBase:
    """Answer inside the open transaction, which takes the kept answer along.

    What `run` wrote is undone when it refuses (4xx); the refusal is kept all the same. A failure (5xx) keeps
    nothing, nor does a refusal of who calls (401, 403), so that the key may be used again.

    Raises:
        KeyInFlight: the same call is being answered in another transaction.
        KeyReused: the key was used with another body.
    """
    if not _lock(call):
        raise KeyInFlight(retry_after=1)
    kept = _kept(call, utcnow())
    if kept is not None:
        return _replay(kept)
    with transaction.atomic():
        response = run()
        if is_failure(response):
            transaction.set_rollback(True)
    if _is_worth_keeping(response):
        row = IdempotencyKey(tenant_id=call.tenant_id, digest=call.digest, fingerprint=call.fingerprint)
        _keep(row, response)
        row.save(force_insert=True)
    return response


def answer_with_lease(request: HttpRequest, call: Call, run: Run) -> HttpResponseBase:
    """Answer by a view that has transactions of its own; no transaction may be open.

    Raises:
        KeyInFlight: the same call is being answered, or died a moment ago.
        KeyReused: the key was used with another body.
    """
    row = _lease(call, utcnow())
    if row.status is not None:
        return _replay(row)
    cast(_Named, request).idempotency_id = row.id
    try:
        response = run()
    except Exception:
        _release(row)
        raise
    if not _is_worth_keeping(response):
        _release(row)
        return response
    _keep(row, response)
    with transaction.atomic():
        row.save(force_update=True)
    return response


def call_id(request: HttpRequest) -> UUID | None:
    """The name of this call for a service that calls the outside; the same in a repeat after a crash."""
    return getattr(request, "idempotency_id", None)


def is_failure(response: HttpResponseBase) -> bool:
    """Whether what was written on the way to this answer must not stay; DRF marks what came from an exception."""
    return response.status_code >= 500 or bool(getattr(response, "exception", False))


def purge_expired(*, now: datetime | None = None) -> int:
    """Delete a batch of keys whose day is over; returns how many."""
    with transaction.atomic():
        old = IdempotencyKey.objects.filter(expires_at__lte=now or utcnow()).values("pk")[:PURGE_BATCH]
        return IdempotencyKey.objects.filter(pk__in=old).delete()[0]


def _lock(call: Call) -> bool:
    number = int.from_bytes(call.digest[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _kept(call: Call, now: datetime) -> IdempotencyKey | None:
    row = IdempotencyKey.objects.filter(digest=call.digest).first()
    if row is not None and row.expires_at <= now:
        row.delete()
        return None
    if row is not None and bytes(row.fingerprint) != call.fingerprint:
        raise KeyReused
    return row


def _lease(call: Call, now: datetime) -> IdempotencyKey:
    with transaction.atomic():
        if not _lock(call):
            raise KeyInFlight(retry_after=1)
        row = _kept(call, now)
        if row is None:
            row = IdempotencyKey(tenant_id=call.tenant_id, digest=call.digest, fingerprint=call.fingerprint)
        elif row.status is not None:
            return row
        elif row.leased_until is not None and row.leased_until > now:
            raise KeyInFlight(retry_after=max(1, round((row.leased_until - now).total_seconds())))
        row.leased_until, row.expires_at = now + LEASE, now + KEPT_FOR
        row.save()
        return row


def _release(row: IdempotencyKey) -> None:
    with transaction.atomic():
        IdempotencyKey.objects.filter(pk=row.pk, status=None).delete()


def _keep(row: IdempotencyKey, response: HttpResponseBase) -> None:
    assert isinstance(response, HttpResponse)
    row.status, row.body, row.leased_until = response.status_code, _at_rest(row, response), None
    row.headers = {name: value for name, value in response.items() if name.lower() not in _NOT_KEPT}
    row.expires_at = utcnow() + KEPT_FOR


def _replay(row: IdempotencyKey) -> HttpResponse:
    assert row.status is not None
    body = bytes(row.body)
    if _holds_secrets(row.headers.get("Cache-Control", "")):
        body = base64.b64decode(unseal(body.decode(), purpose=_purpose(row)))
    response = HttpResponse(body, status=row.status, headers={**row.headers, REPLAYED: "true"})
    if "Content-Type" not in row.headers:  # of an answer without a body; Django would make one up
        del response["Content-Type"]
    return response


def _at_rest(row: IdempotencyKey, response: HttpResponse) -> bytes:
    if not _holds_secrets(response.get("Cache-Control", "")):
        return response.content
    return seal(base64.b64encode(response.content).decode(), purpose=_purpose(row)).encode()


def _is_worth_keeping(response: HttpResponseBase) -> bool:
    # Who may not yet (he has to confirm that it is he, or to be given a role) sends the same call again when he may.
    return response.status_code < 500 and response.status_code not in _OF_THE_CALLER and not response.streaming


def _holds_secrets(cache_control: str) -> bool:
    # What may be kept nowhere, such as a new secret that is shown once, is kept here encrypted.
    return "no-store" in cache_control


def _purpose(row: IdempotencyKey) -> str:
    return f"edge_idempotency_key.body:{row.pk}"


def _digest(*parts: str | bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        # Half of a surrogate pair, as JSON can spell it, names somebody as well as any other text does.
        data = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()

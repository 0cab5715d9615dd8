"""Idempotency keys of calls that belong to no workspace: operators' and people's own, and signing up."""

import json
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from apps.core.actor import Actor
from apps.core.serving import declares
from apps.core.tenants import public_scope
from apps.edge.idempotency import Run, answer_with_lease, answer_within_transaction, call_of, is_open_to


def answer_on_platform(request: HttpRequest, actor: Actor, view: Any, run: Run) -> HttpResponseBase | None:
    """Answer a call with a key by the laws of `apps.edge.idempotency`; None when it has no key, or the actor may not
    make it.

    Raises:
        ValidationFailed: the key is malformed.
        KeyInFlight: the same call is being answered.
        KeyReused: the key was used with another body.
    """
    call = call_of(request, actor)
    if call is None or not is_open_to(view, actor, request.method or ""):
        return None
    with public_scope():
        if declares(view, "own_transactions"):
            return answer_with_lease(request, call, run)
        with transaction.atomic():
            return answer_within_transaction(call, run)


def answer_anonymous(request: HttpRequest, view: Any, run: Run) -> HttpResponseBase | None:
    """The same for a view that names in ``repeatable_by`` the field of the body which says whose call it is.

    The view keeps its own transactions, because what counts guesses must stay though the answer is a refusal. The
    kept answer is given only for the same body, whose secrets its sender must know.
    """
    field: str | None = getattr(getattr(view, "cls", None), "repeatable_by", None)
    if field is None:
        return None
    call = call_of(request, None, principal=_named(request.body, field))
    if call is None:
        return None
    with public_scope():
        return answer_with_lease(request, call, run)


def _named(body: bytes, field: str) -> str:
    try:
        value = json.loads(body)[field]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "nobody"
    return f"anonymous:{str(value).strip().lower()}"

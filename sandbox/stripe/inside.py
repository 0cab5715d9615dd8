"""API requests that the sandbox's own pages make: the same routes, checks and functions, in the page's transaction."""

from __future__ import annotations

from functools import cache

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from sandbox.stripe.calls import Call, Work
from sandbox.stripe.errors import NotFound
from sandbox.stripe.forms import decode
from sandbox.stripe.resources import ROUTES
from sandbox.stripe.shapes import JsonObject


@cache
def _map() -> Map:
    return Map([Rule(route.path, endpoint=route, methods=[route.method]) for route in ROUTES])


def ask(work: Work, method: str, path: str, fields: dict[str, str] | None = None) -> JsonObject:
    """Return what the API answers to the request with these form fields.

    Raises: StripeError as the API would answer.
    """
    try:
        route, names = _map().bind("sandbox").match(path, method=method)
    except HTTPException:
        raise NotFound(f"Unrecognized request URL ({method}: {path}).") from None
    params = route.parameters.parse(decode((fields or {}).items()), "") or {}
    call = Call(objects=work.objects, now=work.now, base_url=work.base_url, params=params, path=dict(names))
    answer: JsonObject = route.answer(call)
    return answer

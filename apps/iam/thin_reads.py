"""The short way: what programs read most, answered before the many layers that such a request has no use for.

The long way (`middleware.WorkspaceMiddleware` and the REST view) decides what may be asked; the short one repeats only
what that has answered before, to the same token or key at the same path. The same functions decide each time: the token
is read, the sign-in or key asked of the database, the request admitted, the permission required. Whatever is not plain,
and whatever does not hold any more, goes the long way, which refuses it. So it answers 200 or nothing.

The database is asked once: who calls, his tenant's transaction, the rows and its end are one message.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error
from django.http import HttpResponse, HttpResponseBase
from django.urls import ResolverMatch
from psycopg.errors import UndefinedTable

from apps.core.clock import today_in
from apps.core.errors import DomainError
from apps.core.postgres.pipeline import Asked
from apps.core.rest.listing import repeated
from apps.core.rest.paging import PageRequest
from apps.core.rest.rendering import encoded
from apps.core.rest.thin import PLAIN, Caller, ThinRead
from apps.core.rest.views import ApiView
from apps.core.tenants import is_in_transaction, read_at_once
from apps.edge import services as edge
from apps.iam import admission, identity, key_identity, key_secrets, tokens
from apps.iam.api.authentication import bearer_token
from apps.iam.identity import Identity, Reader
from apps.iam.origins import origin_of
from apps.tenancy import hosts
from apps.tenancy.selectors import TenantView

logger = structlog.get_logger(__name__)

# Ways learned a process; beyond, it begins anew.
MOST_KNOWN = 4096
LONGEST_QUERY = 200
# What is remembered holds them, and a server takes hundreds of kilobytes of blanks around a token.
LONGEST_CREDENTIALS = 2048
# They decide about the workspace, announce a body or prove something.
_DECIDING = frozenset({"HTTP_X_TENANT_ID", "HTTP_X_FORWARDED_HOST", "HTTP_TRANSFER_ENCODING", "HTTP_SIGNATURE"})
_JSON = frozenset({"application/json", "application/*", "*/*"})


@dataclass(frozen=True, slots=True)
class _Way:
    """What the long way has answered: to which token or key and of whom, by which view, and what it said to allow."""

    secret: str
    match: ResolverMatch
    view: type[ApiView]
    read: ThinRead
    allow: str
    user_id: UUID
    tenant: TenantView


class ThinReadMiddleware:
    """Answers by the short way where it is known; stands right below the edge, which does its part for both."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[Any], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._ways: dict[tuple[str, str], _Way] = {}

    def __call__(self, request: Any) -> HttpResponseBase:
        """Answer one request."""
        credentials = request.META.get("HTTP_AUTHORIZATION")
        if credentials is None or request.method != "GET" or len(credentials) > LONGEST_CREDENTIALS:
            return self.get_response(request)
        place = request.path_info, credentials
        if (way := self._ways.get(place)) is not None and (page := _page(request)) is not None:
            if (response := _answer(request, way, page)) is not None:
                return response
            self._ways.pop(place, None)
        response = self.get_response(request)
        if (learned := _learned(request, response)) is not None:
            if len(self._ways) >= MOST_KNOWN:
                self._ways.clear()
            self._ways[place] = learned
        return response


def _answer(request: Any, way: _Way, page: PageRequest) -> HttpResponseBase | None:
    try:
        question, read = _question(way.secret)
        asker = Caller(way.tenant.id, way.user_id, today_in(way.tenant.time_zone))
        caller, *rows = read_at_once(*way.read.asked(question, asker, page))
        request.origin = origin_of(request, "API")
        found = read(caller, request.origin)
        # The rows were asked for whom the long way found; who is another by now, or whose tenant is, goes that way.
        if found is None or found.tenant != way.tenant or found.actor.user_id != way.user_id:
            return None
        request.identity, request.actor, request.tenant = found, found.actor, found.tenant
        request.resolver_match = way.match
        admission.admit(request, way.match.func)
        way.view.require_permitted(found.actor, "GET")
    except DomainError:
        return None
    except Error as error:
        # Where the sign-in does not hold no tenant was entered, and its tables are not there.
        if not isinstance(error.__cause__, UndefinedTable):
            logger.warning("thin_reads.failed", error=str(error))
        return None
    response = HttpResponse(
        encoded(way.read.body(way.tenant, page, rows)), content_type="application/json", headers={"Allow": way.allow}
    )
    edge.describe(request, response)
    return response


def _question(secret: str) -> tuple[Asked, Reader]:
    if key_secrets.is_meant_as_key(secret):
        return key_identity.at_once(secret)
    claims = tokens.read_access(secret)
    assert claims.tenant_id is not None
    return identity.at_once(family_id=claims.family_id, user_id=claims.user_id, tenant_id=claims.tenant_id)


def _page(request: Any) -> PageRequest | None:
    """What is asked for, if that is plain enough."""
    environ = request.META
    query = environ.get("QUERY_STRING", "")
    if (
        not _takes_json(environ.get("HTTP_ACCEPT", "*/*"))
        or not _DECIDING.isdisjoint(environ)
        or environ.get("CONTENT_LENGTH", "") not in ("", "0")
        or len(query) > LONGEST_QUERY
        or is_in_transaction()
        or not _is_platforms(request)
    ):
        return None
    if not query:
        return PageRequest()
    if not request.GET.keys() <= PLAIN or repeated(request.GET):
        return None
    try:
        return PageRequest.from_query(request.GET)
    except DomainError:
        return None


def _takes_json(accept: str) -> bool:
    return ";" not in accept and not _JSON.isdisjoint(kind.strip() for kind in accept.split(","))


def _is_platforms(request: Any) -> bool:
    environ = request.META
    host: str = environ["HTTP_HOST"] if "HTTP_HOST" in environ else environ.get("SERVER_NAME", "")
    return len(host) <= hosts.LONGEST and _names_platform(host, str(settings.PLATFORM_HOST))


@lru_cache(maxsize=256)
def _names_platform(raw: str, platform: str) -> bool:
    return hosts.of_request(raw) == platform


def _learned(request: Any, response: HttpResponseBase) -> _Way | None:
    match, found = request.resolver_match, getattr(request, "identity", None)
    if response.status_code != 200 or match is None or match.kwargs or not isinstance(found, Identity):
        return None
    view, secret = getattr(match.func, "cls", None), bearer_token(request)
    read: ThinRead | None = getattr(view, "thin", None)
    user_id, tenant = found.actor.user_id, found.tenant
    if read is None or view is None or secret is None or user_id is None or tenant is None:
        return None
    return _Way(secret, match, view, read, response.headers.get("Allow", ""), user_id, tenant)

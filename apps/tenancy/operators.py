"""Operators inside a tenant: an audited switch that the whole admin shows and that ends by itself."""

import inspect
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin import ModelAdmin
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.core.errors import NotFound
from apps.core.tenants import tenant_transaction
from apps.tenancy import selectors
from apps.tenancy.errors import TenantNotAvailable
from apps.tenancy.selectors import TenantView

SESSION_KEY = "operator_tenant"
STAY = timedelta(hours=1)
# Pages about all organisations, whichever of them the operator is in.
ACROSS_TENANTS = "/admin/tenancy/"


def operator(request: HttpRequest) -> Actor:
    """The signed-in operator as an actor. The admin has checked already that he is one."""
    user: Any = request.user
    writes = {"platform:write"} if user.has_perm("tenancy.change_tenant") else set()
    return Actor(
        ActorKind.OPERATOR,
        user_id=user.pk,
        name=str(user),
        email=getattr(user, "email", ""),
        roles=(getattr(user, "platform_role", ""),),
        permissions=frozenset({"platform:read"} | writes),
        origin=replace(getattr(request, "origin", Origin()), source="ADMIN"),
    )


def enter(request: HttpRequest, tenant: TenantView, reason: str) -> None:
    """Switch the operator's session into `tenant` for an hour; written to the tenant's own audit trail.

    Raises:
        TenantNotAvailable: the tenant has no schema to look into.
    """
    if not tenant.is_readable:
        raise TenantNotAvailable
    _audit(request, tenant.id, tenant.name, "tenancy.operator.enter", {"reason": reason})
    request.session[SESSION_KEY] = {"id": str(tenant.id), "until": (utcnow() + STAY).isoformat()}


def leave(request: HttpRequest) -> None:
    """End the switch."""
    inside = current(request)
    request.session.pop(SESSION_KEY, None)
    if inside is not None:
        _audit(request, inside.id, inside.name, "tenancy.operator.leave", None)


def current(request: HttpRequest) -> TenantView | None:
    """The tenant that the operator is in, if his hour is not over and the tenant can be read."""
    stored = request.session.get(SESSION_KEY)
    if not stored or datetime.fromisoformat(stored["until"]) < utcnow():
        return None
    try:
        tenant = selectors.tenant_by_id(UUID(stored["id"]))
    except NotFound:
        return None
    return tenant if tenant.is_readable else None


def badge(request: HttpRequest) -> list[str]:
    """Unfold's environment label: which organisation the operator is looking into."""
    inside = getattr(request, "operator_tenant", None)
    return [_("In %(name)s") % {"name": inside.name}, "danger"] if inside else [_("All organisations"), "info"]


def is_inside(request: HttpRequest) -> bool:
    """Whether this request works inside a tenant."""
    return getattr(request, "operator_tenant", None) is not None


class OperatorTenantMiddleware:
    """Runs admin views in the tenant that the operator switched into, in one transaction."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing to do around the request."""
        response: HttpResponse = self.get_response(request)
        return response

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Enter the tenant for views of its tables, and for the rendering of their templates."""
        if not request.path.startswith("/admin/") or not getattr(request.user, "is_staff", False):
            return None
        if any("\x00" in value for _name, values in request.GET.lists() for value in values):
            raise BadRequest("The database cannot compare with NUL.")
        inside = current(request)
        if inside is None:
            return None
        request.operator_tenant = inside
        if request.path.startswith(ACROSS_TENANTS):
            return None
        # The platform's own tables are read as the platform: a tenant's role would see but one organisation.
        holder = getattr(inspect.unwrap(view), "__self__", None)
        if isinstance(holder, ModelAdmin) and not getattr(holder, "of_tenant", False):
            return None
        with tenant_transaction(inside.scope):
            response: HttpResponseBase = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse):
                response = response.render()
        return response


def _audit(request: HttpRequest, tenant_id: UUID, name: str, action: str, after: dict[str, Any] | None) -> None:
    audit.record(
        actor=operator(request),
        action=action,
        entity_type="tenant",
        entity_id=tenant_id,
        entity_label=name,
        after=after,
        severity=Severity.MEDIUM,
        tenant_id=tenant_id,
    )

"""Whether a request is let in at all: limits, the sign-in's own terms, the workspace's state; then comes the view."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.errors import PermissionRefused
from apps.core.serving import declares
from apps.edge import services as edge
from apps.iam import factors, mfa_policy
from apps.iam.errors import MfaDemanded, PasswordChangeRequired
from apps.tenancy.errors import TenantNotAvailable, TenantReadOnly
from apps.tenancy.selectors import TenantStatus, TenantView

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

# A person's own account and his other workspaces; whoever acts in his name has no business there.
_OWN_ROUTES = ("account/", "workspaces/", "verify-email/", "passkeys/")


def admit(request: Any, view: Any) -> None:
    """Count the request, and check that whoever asks may enter where he is going.

    Raises:
        RateLimited: too many calls; nothing else was looked at.
        PermissionRefused: an operator in a member's name is at what is the person's own.
        PasswordChangeRequired: the password is still the one that an operator gave.
        MfaDemanded: the workspace demands more than the sign-in shows.
        TenantNotAvailable: the workspace is not ready, or this installation serves another.
        TenantReadOnly: the workspace is suspended.
    """
    edge.enforce(request, request.actor, request.origin.ip)
    _require_own_name(request)
    _require_own_password(request, view)
    _require_proof(request, view)
    if request.tenant is not None:
        _require_serving(request, view)


def _require_own_name(request: Any) -> None:
    """Check that an operator in a member's name stays out of what is the person's own.

    Raises:
        PermissionRefused: he does not.
    """
    if request.actor is None or request.actor.impersonator_id is None:
        return
    if request.resolver_match.route.startswith(_OWN_ROUTES):
        raise PermissionRefused(_("Not in somebody else's name: this is the person's own."))


def _require_own_password(request: Any, view: Any) -> None:
    """Check that a password which an operator gave is replaced before anything else.

    Raises:
        PasswordChangeRequired: it is not.
    """
    if request.identity is None or not request.identity.owes_own_password:
        return
    if not declares(view, "serves_temporary_password"):
        raise PasswordChangeRequired(_("Choose a password of your own first."))


def to_own_password(request: HttpRequest) -> HttpResponse:
    """To the page where the person chooses a password of his own."""
    messages.warning(request, _("Choose a password of your own first."))
    return HttpResponseRedirect(reverse("iam:security"))


def _require_proof(request: Any, view: Any) -> None:
    if request.identity is None or declares(view, "serves_unproven") or mfa_policy.is_admitted(request.identity):
        return
    # A password of one's own comes first: who owes both would be sent to and fro between them.
    if request.identity.owes_own_password and declares(view, "serves_temporary_password"):
        return
    raise MfaDemanded(
        "This workspace demands a second factor: set one up, or confirm with yours.",
        methods=list(factors.of(request.identity.actor.user_id).methods),
    )


def _require_serving(request: Any, view: Any) -> None:
    tenant: TenantView = request.tenant
    if not tenant.is_served:
        raise TenantNotAvailable("This installation serves another workspace.")
    is_unready = tenant.status in (TenantStatus.PROVISIONING, TenantStatus.PROVISIONING_FAILED)
    if not tenant.is_readable and not (is_unready and declares(view, "serves_unready", request.method)):
        raise TenantNotAvailable("This workspace is not available.", workspace_status=tenant.status)
    if tenant.status == TenantStatus.SUSPENDED and request.method not in SAFE_METHODS and not _may_write(request, view):
        raise TenantReadOnly("This workspace is suspended: you can look, but nothing can be changed.")


def _may_write(request: Any, view: Any) -> bool:
    if declares(view, "pays_when_suspended"):
        return bool(settings.SUSPENDED_TENANTS_ACCEPT_PAYMENTS)
    return declares(view, "writes_when_suspended", request.method)

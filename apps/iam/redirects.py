"""Where people are sent after signing in: a path of the same host, or a tenant's host with a handoff."""

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apps.core.pages import shown_path
from apps.iam import kept_forms
from apps.tenancy.selectors import TenantView

MAX_LENGTH = 500
# The giver of a handover that is no tenant.
PLATFORM = "-"


def safe_path(wanted: str | None) -> str:
    """`wanted` when it is a path on this very host, otherwise the start page (no open redirect)."""
    if not wanted or len(wanted) > MAX_LENGTH or not wanted.startswith("/") or not wanted.isprintable():
        return "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/"


def handoff_url(tenant: TenantView, token: str) -> str:
    """The address on the tenant's host that redeems a handoff token."""
    path = reverse("iam:handoff", urlconf=settings.TENANT_URLCONF)
    return f"{tenant.home_url}{path}?{urlencode({'token': token})}"


def handoff_begin_url(tenant: TenantView, giver: str, next_path: str = "/") -> str:
    """Where a handover begins, on the host that the browser goes to: `giver` is a tenant's key or `PLATFORM`."""
    path = reverse("iam:handoff-begin", urlconf=settings.TENANT_URLCONF)
    return f"{tenant.home_url}{path}?{urlencode({'from': giver, 'next': next_path})}"


def handoff_give_url(giver: TenantView | None, taker: TenantView, browser: str, next_path: str) -> str:
    """Where the browser is known: the platform's host, or that of the tenant `giver`."""
    query = urlencode({"tenant": taker.key, "browser": browser, "next": next_path})
    if giver is None:
        return f"{settings.PLATFORM_URL}{reverse('iam:handoff-issue', urlconf=settings.ROOT_URLCONF)}?{query}"
    return f"{giver.home_url}{reverse('iam:handoff-give', urlconf=settings.TENANT_URLCONF)}?{query}"


def to_confirm(request: HttpRequest) -> HttpResponse:
    """To the page where a person proves himself again, and back from there to where he was about to act.

    What he had typed is kept, and the way back leads to where he sends it.
    """
    before = safe_path(shown_path(request))
    form_id = kept_forms.keep(request, back_to=before)
    back_to = f"{reverse('iam:confirm-resend')}?{urlencode({'form': form_id})}" if form_id else before
    return _go(request, "iam:confirm", back_to)


def to_second_step(wanted: str, workspace: str = "") -> HttpResponse:
    """To the page of this host where who has given the right password shows his second factor."""
    return HttpResponseRedirect(f"{reverse('iam:second-step')}?{urlencode({'next': wanted, 'workspace': workspace})}")


def to_second_factor(request: HttpRequest) -> HttpResponse:
    """To the page where a person sets up or shows the second factor that the workspace demands."""
    return _go(request, "iam:mfa-demanded", shown_path(request))


def _go(request: HttpRequest, name: str, back_to: str) -> HttpResponse:
    target = f"{reverse(name)}?{urlencode({'next': safe_path(back_to)})}"
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = target
        return response
    return HttpResponseRedirect(target)


def impersonation_begin_url(tenant: TenantView, row_id: UUID) -> str:
    """Where an operator's way into a member's name begins, on the tenant's host."""
    path = reverse("iam:impersonation-begin", urlconf=settings.TENANT_URLCONF)
    return f"{tenant.home_url}{path}?{urlencode({'id': row_id})}"


def impersonation_issue_url(row_id: str, browser: str) -> str:
    """Where the operator is known: in the admin. An id that is none leads to nothing."""
    try:
        path = reverse("admin:iam_impersonation_issue", args=[UUID(row_id)], urlconf=settings.ROOT_URLCONF)
    except ValueError:
        path = reverse("admin:index", urlconf=settings.ROOT_URLCONF)
    return f"{settings.PLATFORM_URL}{path}?{urlencode({'browser': browser})}"


def impersonation_url(tenant: TenantView, token: str) -> str:
    """The address on the tenant's host that redeems the operator's token."""
    path = reverse("iam:impersonation", urlconf=settings.TENANT_URLCONF)
    return f"{tenant.home_url}{path}?{urlencode({'token': token})}"


def sign_in_url(tenant: TenantView) -> str:
    """The sign-in page on the tenant's host."""
    return f"{tenant.home_url}{reverse('iam:signin', urlconf=settings.TENANT_URLCONF)}"

"""Where people are sent after signing in: a path of the same host, or a tenant's host with a handoff."""

from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apps.tenancy.selectors import TenantView

MAX_LENGTH = 500


def safe_path(wanted: str | None) -> str:
    """`wanted` when it is a path on this very host, otherwise the start page (no open redirect)."""
    if not wanted or len(wanted) > MAX_LENGTH or not wanted.startswith("/") or not wanted.isprintable():
        return "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/"


def handoff_url(tenant: TenantView, token: str) -> str:
    """The address on the tenant's host that redeems a handoff token."""
    path = reverse("iam:handoff", urlconf=settings.TENANT_URLCONF)
    return f"{tenant.home_url}{path}?{urlencode({'token': token})}"


def sign_in_url(tenant: TenantView) -> str:
    """The sign-in page on the tenant's host."""
    return f"{tenant.home_url}{reverse('iam:signin', urlconf=settings.TENANT_URLCONF)}"

"""A browser's session, kept because its person says that he is there."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.core.clock import utcnow
from apps.core.pages import page
from apps.core.serving import served
from apps.iam import browser


@served("writes_when_suspended", "serves_temporary_password", "serves_unproven")
@never_cache
@require_POST
@page()
def renew(request: Any) -> HttpResponse:
    """Move the session's expiry; says in seconds how long it holds now."""
    return HttpResponse(status=204, headers={"X-Session-Seconds": browser.renew(request, now=utcnow())})

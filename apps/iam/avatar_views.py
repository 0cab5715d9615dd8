"""One's own picture on the account's page, and showing pictures."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.core.errors import DomainError
from apps.core.pages import page
from apps.core.serving import served
from apps.iam import avatars, portraits

# A picture under a name never changes. Whatever the bytes should be, no browser runs them.
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
    "X-Content-Type-Options": "nosniff",
}


@require_GET
@served("own_transactions")
def show(request: Any, name: str, size: str) -> HttpResponse:
    """A picture of somebody in this workspace, for whoever knows its unguessable address."""
    content = avatars.read(request.tenant.id, name, int(size))
    if content is None:
        raise Http404
    return HttpResponse(content, content_type=portraits.CONTENT_TYPE, headers=_HEADERS)


@require_POST
@served("writes_when_suspended")
@page(own_transactions=True)
def take(request: Any) -> HttpResponse:
    """The form as it is sent without scripts: the file comes with it."""
    sent = request.FILES.get("avatar")
    if sent is None:
        messages.error(request, _("Choose a picture first."))
        return _back()
    try:
        avatars.take(actor=request.actor, content=sent.read(portraits.LARGEST_FILE + 1))
    except DomainError as error:
        messages.error(request, _told(error))
    else:
        messages.success(request, _("Your picture is shown now."))
    return _back()


@require_POST
@served("writes_when_suspended")
@page(own_transactions=True)
def announce(request: Any) -> HttpResponse:
    """Where the page's script puts the file."""
    try:
        made = avatars.announce(
            actor=request.actor,
            base_url=f"{settings.PUBLIC_SCHEME}://{request.get_host()}",
            content_type=request.POST.get("content_type", ""),
            size=int(request.POST["size"]),
        )
    except (KeyError, ValueError):
        return JsonResponse({"detail": _("Choose a picture first.")}, status=400)
    except DomainError as error:
        return _refusal(error)
    answer = {"url": made.target.url, "headers": made.target.headers, "object_key": made.object_key}
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})


@require_POST
@served("writes_when_suspended")
@page(own_transactions=True)
def confirm(request: Any) -> HttpResponse:
    """The page's script has put the file there."""
    try:
        avatars.confirm(actor=request.actor, object_key=request.POST.get("object_key", ""))
    except DomainError as error:
        return _refusal(error)
    messages.success(request, _("Your picture is shown now."))
    return JsonResponse({"next": reverse("iam:account")})


@require_POST
@served("writes_when_suspended")
@page(own_transactions=True)
def delete(request: Any) -> HttpResponse:
    """Show initials again."""
    avatars.remove(actor=request.actor)
    messages.success(request, _("Your picture is removed."))
    return _back()


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("iam:account"))


def _refusal(error: DomainError) -> HttpResponse:
    return JsonResponse({"detail": _told(error)}, status=error.status)


def _told(error: DomainError) -> str:
    errors = error.extra.get("errors")
    return str(errors[0]["detail"]) if errors else error.detail

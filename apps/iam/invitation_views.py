"""The page behind an invitation's link, on the tenant's host: for people with an account and for new ones."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.core.errors import DomainError, NotFound
from apps.core.serving import served
from apps.core.tenants import tenant_transaction
from apps.iam import browser, services
from apps.iam.assigned import labels_of
from apps.iam.errors import AlreadyMember, InvitationsClosed
from apps.iam.forms import JoinForm, NewcomerForm, show_refusal


# A wrong password stays counted whatever the answer is.
@served("own_transactions")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation(request: Any, token: str) -> HttpResponse:
    """What is offered, and the way in: by the account's password, or by signing up on the spot."""
    try:
        found = services.preview_invitation(token=token)
        if found.tenant.id != request.tenant.id:
            raise NotFound
    except (NotFound, InvitationsClosed) as error:
        return _shown(request, "iam/invitation_dead.html", {}, error.status)
    form = (NewcomerForm if found.needs_sign_up else JoinForm)(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                identity = services.accept_invitation_in_browser(
                    token=token, tenant_id=request.tenant.id, origin=request.origin, **form.cleaned_data
                )
            except AlreadyMember:
                return HttpResponseRedirect("/")
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
            else:
                browser.begin(request, identity)
                response = HttpResponseRedirect("/")
                browser.suggest_language(request, response, identity.locale)
                return response
    context = {"invitation": found, "role": ", ".join(map(str, labels_of(found.roles))), "form": form}
    return _shown(request, "iam/invitation.html", context, status)


def _shown(request: Any, template: str, context: dict[str, Any], status: int) -> HttpResponse:
    # What stands around the page for who is signed in comes from the tenant's tables.
    with tenant_transaction(request.tenant.scope):
        response = render(request, template, context, status=status)
    # The address holds a secret.
    response["Referrer-Policy"] = "no-referrer"
    return response

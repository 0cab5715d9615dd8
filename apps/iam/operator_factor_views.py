"""Where an installation demands second factors of its operators, one without sets his up before he enters."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from apps.core.errors import DomainError
from apps.core.tenants import public_scope
from apps.iam import authenticators, browser, factors, mfa_views, platform_views, selectors
from apps.iam.forms import show_refusal
from apps.iam.mfa_forms import CodeForm
from apps.iam.models import User
from apps.iam.proofs import CODE


@never_cache
@sensitive_variables("enrolment", "codes")
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def set_up(request: Any) -> HttpResponse:
    """The QR code of an authenticator app; POST takes it into use, shows the recovery codes and opens the admin."""
    user_id = browser.verified_user(request)
    if user_id is None:
        return HttpResponseRedirect(reverse("iam:signin"))
    with public_scope():
        actor = selectors.operator_of(User.objects.get(pk=user_id), request.origin)
    if actor is None or factors.has_any(user_id):
        return HttpResponseRedirect(reverse("iam:workspaces"))
    form, status = CodeForm(request.POST if request.method == "POST" else None), 200
    enrolment = authenticators.begin(actor=actor, is_new=request.method == "GET")
    if request.method == "POST":
        status = 400
        try:
            if form.is_valid():
                codes = authenticators.confirm(actor=actor, family_id=None, code=form.cleaned_data["code"])
                browser.add_second_factor(request, (CODE,))
                onward = {"codes": codes, "workspace": platform_views.PLATFORM_CHOICE}
                return render(request, "iam/mfa_codes_first.html", onward)
        except DomainError as error:
            show_refusal(form, error)
            status = error.status
    context = mfa_views.enrolment_context(enrolment) | {"form": form, "is_operator": True}
    return render(request, "iam/mfa_demanded.html", context, status=status)

"""Operators sign in to the admin: password, second factor, and where all of them must have one, setting it up."""

from typing import Any

from django.contrib import admin
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from apps.core.tenants import public_scope
from apps.iam import (
    browser,
    credentials,
    enrolment_views,
    factors,
    platform_views,
    second_step_views,
    selectors,
    signins,
)
from apps.iam.forms import OPERATOR_VERIFIED
from apps.iam.models import User
from apps.iam.proofs import CODE


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: Any) -> HttpResponse:
    """The admin's own form; who owes more than a password is led on to it."""
    response = admin.site.login(request)
    user = getattr(request, OPERATOR_VERIFIED, None)
    if user is None:
        return response
    browser.remember_verified(request, user.id)
    return platform_views.into_admin(request, user)


@never_cache
@sensitive_post_parameters("code", "credential")
@require_http_methods(["GET", "POST"])
def second_step(request: Any) -> HttpResponse:
    """A code or a passkey, and in."""
    return second_step_views.step(
        request, "", lambda user_id: platform_views.into_admin(request, User.objects.get(pk=user_id))
    )


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def set_up(request: Any) -> HttpResponse:
    """The QR code of an authenticator app; POST takes it into use and shows the recovery codes."""
    found = browser.verified_proof(request)
    with public_scope():
        user = User.objects.filter(pk=found[0]).first() if found else None
    actor = selectors.operator_of(user, request.origin)
    # As for the admin itself: a password that was replaced since, or is not his own, sets nothing up.
    if found is None or user is None or actor is None or signins.is_overtaken(user, found[1]):
        return HttpResponseRedirect(reverse("admin:login"))
    credentials.require_own(user)
    user_id = user.id
    if factors.has_any(user_id):
        return HttpResponseRedirect(reverse("operator-second-step"))

    @sensitive_variables("codes")
    def done(codes: list[str]) -> HttpResponse:
        # Everything that had not shown the factor ended; this browser just did.
        browser.remember_verified(request, user_id)
        browser.add_second_factor(request, (CODE,))
        return render(request, "iam/mfa_codes_first.html", {"codes": codes, "next": reverse("operator-second-step")})

    return enrolment_views.set_up(
        request,
        "iam/mfa_demanded.html",
        actor=actor,
        family_id=None,
        done=done,
        elsewhere=reverse("operator-second-step"),
        more={"is_operator": True},
    )

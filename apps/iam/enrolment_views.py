"""The page that takes an authenticator app into use, wherever a person meets it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import segno
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables

from apps.core.actor import Actor
from apps.core.errors import NotFound, ValidationFailed
from apps.iam import authenticators
from apps.iam.errors import AlreadySetUp
from apps.iam.forms import show_refusal
from apps.iam.mfa_forms import CodeForm


@sensitive_variables("enrolment", "codes")
def set_up(
    request: Any,
    template: str,
    *,
    actor: Actor,
    family_id: UUID | None,
    done: Callable[[list[str]], HttpResponse],
    elsewhere: str,
    more: dict[str, Any],
) -> HttpResponse:
    """The QR code of a new app; POST takes the app into use by a code of it.

    `done` answers with the recovery codes, which are shown this once. Who turns out to have an app already is told so
    and sent to `elsewhere`.
    """
    form = CodeForm(request.POST if request.method == "POST" else None)
    try:
        enrolment = authenticators.begin(actor=actor, is_new=request.method == "GET")
        if form.is_valid():
            codes = authenticators.confirm(actor=actor, family_id=family_id, code=form.cleaned_data["code"])
            return done(codes)
    except ValidationFailed as error:
        show_refusal(form, error)
    except (AlreadySetUp, NotFound) as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(elsewhere)
    context = more | _shown(enrolment) | {"form": form}
    return render(request, template, context, status=400 if form.errors else 200)


def _shown(enrolment: authenticators.Enrolment) -> dict[str, Any]:
    """What the page shows of a seed: its QR code as SVG, drawn here, and the text to type."""
    image = segno.make(enrolment.address, error="m").svg_inline(border=2, svgclass="qr", lineclass=None, omitsize=True)
    groups = [enrolment.seed[at : at + 4] for at in range(0, len(enrolment.seed), 4)]
    return {"qr": image, "seed": enrolment.seed, "seed_shown": " ".join(groups)}

"""How the organisation's numbers look: one form for each series."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from apps.audit import selectors as audit
from apps.core import editing
from apps.core.errors import DomainError, ValidationFailed
from apps.core.pages import PageRequest, page
from apps.core.versions import VersionConflict
from apps.invoices import series
from apps.invoices.forms import attach
from apps.invoices.series import SeriesView

NAMES = {"INVOICE": gettext_lazy("Invoices"), "CREDIT_NOTE": gettext_lazy("Credit notes")}


class SeriesForm(forms.Form):
    """Pattern and first number."""

    pattern = forms.CharField(
        label=gettext_lazy("Pattern"),
        max_length=series.LONGEST_PATTERN,
        widget=forms.TextInput(attrs={"dir": "ltr", "spellcheck": "false"}),
        help_text=gettext_lazy("{year} is the year, {seq} the number, {seq:04} the number with zeros in front."),
    )
    first_seq = forms.IntegerField(
        label=gettext_lazy("First number of this year"), min_value=1, max_value=series.LARGEST_START
    )


@require_http_methods(["GET", "POST"])
@page("settings:write")
def number_series(request: PageRequest) -> HttpResponse:
    """Both series; what was issued keeps its number."""
    sent = request.POST.get("kind", "")
    rows: list[dict[str, Any]] = []
    for found in series.list_series(actor=request.actor):
        form, edit = _form(found, request.POST if sent == found.kind else None), editing.opened(found.version)
        row = {"series": found, "name": NAMES[found.kind], "form": form, "edit": edit}
        if form.is_bound and form.is_valid():
            try:
                if _save(request, found.kind, form):
                    messages.success(request, _("The next numbers follow the new pattern."))
                    return HttpResponseRedirect(reverse("settings-numbers"))
            except VersionConflict:
                row |= _overtaken(request, found.kind)
        rows.append(row)
    overtaken = next((row["edit"] for row in rows if row["edit"].is_stale), None)
    status = editing.status_of(overtaken, is_refused=any(row["form"].errors for row in rows))
    return render(request, "invoices/series.html", {"nav": "settings", "tab": "numbers", "rows": rows}, status=status)


def _overtaken(request: PageRequest, kind: str) -> dict[str, Any]:
    found = series.get_series(actor=request.actor, kind=kind)
    form = _form(found, request.POST)
    change = audit.last_change(tenant_id=request.tenant.id, entity_type="number_series", entity_id=found.id)
    return {
        "series": found,
        "form": form,
        "edit": editing.stale(found.version, editing.differences(form), change),
    }


def _form(found: SeriesView, data: Any) -> SeriesForm:
    initial = {"pattern": found.pattern, "first_seq": found.first_seq}
    form = SeriesForm(data, initial=initial, prefix=None, auto_id=f"id_{found.kind.lower()}_%s")
    form.fields["first_seq"].disabled = found.has_begun
    return form


def _save(request: PageRequest, kind: str, form: SeriesForm) -> bool:
    first = None if form.fields["first_seq"].disabled else form.cleaned_data["first_seq"]
    try:
        series.update_series(
            actor=request.actor,
            kind=kind,
            pattern=form.cleaned_data["pattern"],
            first_seq=first,
            expected=editing.seen(request),
        )
    except VersionConflict:
        raise
    except ValidationFailed as error:
        attach(form, error.errors)
    except DomainError as error:
        form.add_error(None, error.detail)
    return not form.errors

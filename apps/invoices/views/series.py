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

from apps.core.errors import DomainError, ValidationFailed
from apps.core.pages import PageRequest, page
from apps.invoices import series
from apps.invoices.forms import attach

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
        initial = {"pattern": found.pattern, "first_seq": found.first_seq}
        data = request.POST if sent == found.kind else None
        form = SeriesForm(data, initial=initial, prefix=None, auto_id=f"id_{found.kind.lower()}_%s")
        form.fields["first_seq"].disabled = found.has_begun
        if data is not None and form.is_valid() and _save(request, found.kind, form):
            messages.success(request, _("The next numbers follow the new pattern."))
            return HttpResponseRedirect(reverse("settings-numbers"))
        rows.append({"series": found, "name": NAMES[found.kind], "form": form})
    refused = any(row["form"].errors for row in rows)
    context = {"nav": "settings", "tab": "numbers", "rows": rows}
    return render(request, "invoices/series.html", context, status=400 if refused else 200)


def _save(request: PageRequest, kind: str, form: SeriesForm) -> bool:
    first = None if form.fields["first_seq"].disabled else form.cleaned_data["first_seq"]
    try:
        series.update_series(actor=request.actor, kind=kind, pattern=form.cleaned_data["pattern"], first_seq=first)
    except ValidationFailed as error:
        attach(form, error.errors)
    except DomainError as error:
        form.add_error(None, error.detail)
    return not form.errors

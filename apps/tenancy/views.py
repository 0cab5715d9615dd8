"""The organisation's settings."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.core.errors import DomainError
from apps.core.pages import PageRequest, page
from apps.tenancy import services
from apps.tenancy.forms import SettingsForm


@require_http_methods(["GET", "POST"])
@page("settings:write")
def settings_page(request: PageRequest) -> HttpResponse:
    """Address, tax number, currency, language, time zone."""
    initial = {name: getattr(request.tenant, name) for name in SettingsForm.base_fields}
    form = SettingsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_settings(actor=request.actor, tenant_id=request.tenant.id, changes=form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            messages.success(request, _("The settings are saved."))
            return HttpResponseRedirect(reverse("settings"))
    return render(request, "settings/index.html", {"nav": "settings", "form": form}, status=400 if form.errors else 200)

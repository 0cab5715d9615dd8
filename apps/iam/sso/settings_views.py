"""The settings' page of single sign-on: the provider and the mail domains for which it may speak."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.audit import selectors as audit
from apps.core import editing
from apps.core.errors import DomainError, NotFound
from apps.core.pages import error_page, page
from apps.core.tenants import tenant_transaction
from apps.core.versions import VersionConflict
from apps.iam import roles, stepping_up
from apps.iam.forms import show_refusal
from apps.iam.sso import connections, mail_domains
from apps.iam.sso.connections import ConnectionView
from apps.iam.sso.errors import ProviderFailed
from apps.iam.sso.forms import ConnectionForm, MailDomainForm
from apps.tenancy import proof_messages

PERMISSION = connections.PERMISSION


@never_cache
@require_http_methods(["GET", "POST"])
@page(PERMISSION)
def sso(request: Any) -> HttpResponse:
    """The provider."""
    present = connections.get_connection(actor=request.actor)
    form = ConnectionForm(request.POST or None, roles=role_choices(request), present=present)
    edit, status = _opened(present), 200
    if request.method == "POST":
        stepping_up.require_recent(request)
        status = 400
        if form.is_valid():
            try:
                seen = editing.seen(request)
                connections.save_connection(actor=request.actor, values=form.wanted(), expected=seen)
            except VersionConflict as conflict:
                present = connections.get_connection(actor=request.actor)
                form = ConnectionForm(request.POST, roles=role_choices(request), present=present)
                edit = editing.stale(conflict.present, editing.differences(form), _last_change(request, present))
                status = editing.status_of(edit, is_refused=False)
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
            else:
                messages.success(request, _("Saved. Test the connection, then try it in another browser."))
                return _back()
    return _page(request, form, MailDomainForm(), status, edit)


@require_POST
@page(PERMISSION, own_transactions=True)
def test(request: Any) -> HttpResponse:
    """Ask the provider now."""
    try:
        connections.test_connection(actor=request.actor)
    except ProviderFailed as error:
        reason = {"reason": error.extra.get("reason", "")}
        messages.error(request, _("The provider did not answer as it should (%(reason)s).") % reason)
    except NotFound as error:
        with tenant_transaction(request.tenant.scope):
            return error_page(request, error)
    else:
        messages.success(request, _("The provider answers, and its keys can be read."))
    return _back()


@require_POST
@page(PERMISSION)
def remove(request: Any) -> HttpResponse:
    """Take the provider away."""
    stepping_up.require_recent(request)
    connections.remove_connection(actor=request.actor)
    messages.success(request, _("The provider is removed. Whoever came in by it is signed out."))
    return _back()


@require_POST
@page(PERMISSION)
def add_domain(request: Any) -> HttpResponse:
    """Name a mail domain."""
    form = MailDomainForm(request.POST)
    if form.is_valid():
        try:
            found = mail_domains.add_domain(actor=request.actor, domain=form.cleaned_data["domain"])
        except DomainError as error:
            show_refusal(form, error)
        else:
            name = {"domain": found.readable}
            messages.success(request, _("Now add the record below where %(domain)s is managed.") % name)
            return _back()
    present = connections.get_connection(actor=request.actor)
    return _page(request, ConnectionForm(roles=role_choices(request), present=present), form, 400, _opened(present))


@require_POST
@page(PERMISSION, own_transactions=True)
def check_domain(request: Any, mail_domain_id: UUID) -> HttpResponse:
    """Ask DNS now."""
    try:
        found = mail_domains.check_domain(actor=request.actor, domain_id=mail_domain_id)
    except NotFound as error:
        with tenant_transaction(request.tenant.scope):
            return error_page(request, error)
    proof_messages.tell(request, found)
    return _back()


@require_POST
@page(PERMISSION)
def remove_domain(request: Any, mail_domain_id: UUID) -> HttpResponse:
    """Give a mail domain up."""
    stepping_up.require_recent(request)
    mail_domains.remove_domain(actor=request.actor, domain_id=mail_domain_id)
    messages.success(request, _("The domain is removed."))
    return _back()


def role_choices(request: Any) -> list[tuple[str, Any]]:
    """The roles of the workspace that a provider or a directory may give, as a form offers them."""
    return [(role.id, role.label) for role in roles.list_roles(actor=request.actor) if role.id != "OWNER"]


def _opened(present: ConnectionView | None) -> editing.Edit:
    return editing.opened(present.version if present else connections.NO_VERSION)


def _last_change(request: Any, present: ConnectionView | None) -> audit.Change | None:
    if present is None:
        return None
    return audit.last_change(tenant_id=request.tenant.id, entity_type="sso_connection", entity_id=present.id)


def _page(request: Any, form: ConnectionForm, domain_form: forms.Form, status: int, edit: editing.Edit) -> HttpResponse:
    context = {
        "edit": edit,
        "nav": "settings",
        "tab": "sso",
        "form": form,
        "domain_form": domain_form,
        "connection": connections.get_connection(actor=request.actor),
        "redirect_uri": connections.redirect_uri(actor=request.actor),
        "domains": mail_domains.list_domains(actor=request.actor),
    }
    return render(request, "iam/sso/settings.html", context, status=status)


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("iam:sso-settings"))

"""The organisation's addresses: its sub-domain and the domains that it proved to own."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.errors import DomainError, NotFound
from apps.core.pages import PageRequest, error_page, page
from apps.core.tenants import tenant_transaction
from apps.edge import services as edge
from apps.tenancy import domains, proof_messages, selectors, subdomains
from apps.tenancy.forms import DomainForm, SlugForm, show_refusal
from apps.tenancy.views.organisation import settings_context

_LOOPBACK = ("127.0.0.0/8", "::1/128")


@require_http_methods(["GET", "POST"])
@page("settings:write")
def domain_list(request: PageRequest) -> HttpResponse:
    """Every address, and a form to name a domain."""
    form = DomainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            claim = domains.add_domain(actor=request.actor, domain=form.cleaned_data["domain"])
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(
                request, _("Now add the record below where %(domain)s is managed.") % {"domain": claim.readable}
            )
            return _back()
    return _page(request, form, SlugForm(initial={"slug": request.tenant.slug}))


@require_POST
@page("settings:write")
def change_slug(request: PageRequest) -> HttpResponse:
    """Another sub-domain; the person signs in there again."""
    form = SlugForm(request.POST)
    if form.is_valid():
        try:
            subdomains.change_slug(actor=request.actor, slug=form.cleaned_data["slug"])
        except DomainError as error:
            show_refusal(form, error)
        else:
            moved = selectors.tenant_by_id(request.tenant.id)
            return HttpResponseRedirect(f"{moved.home_url}{reverse('settings-domains')}")
    return _page(request, DomainForm(), form)


@require_POST
@page("settings:write")
def free_former(request: PageRequest, domain_id: UUID) -> HttpResponse:
    """Give an old sub-domain up."""
    try:
        subdomains.free_former(actor=request.actor, domain_id=domain_id)
    except NotFound as error:
        return error_page(request, error)
    messages.success(request, _("The old address is free for others."))
    return _back()


@require_POST
@page("settings:write", own_transactions=True)
def check(request: PageRequest, claim_id: UUID) -> HttpResponse:
    """Ask DNS now."""
    try:
        claim = domains.check_domain(actor=request.actor, claim_id=claim_id)
    except NotFound as error:
        with tenant_transaction(request.tenant.scope):
            return error_page(request, error)
    proof_messages.tell(request, claim)
    return _back()


@require_POST
@page("settings:write")
def make_primary(request: PageRequest) -> HttpResponse:
    """Choose the address in links."""
    chosen = request.POST.get("claim", "")
    try:
        domains.set_primary(actor=request.actor, claim_id=UUID(chosen) if chosen else None)
    except (NotFound, ValueError):
        return error_page(request, NotFound())
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("Links lead there from now on."))
    return _back()


@require_POST
@page("settings:write")
def remove(request: PageRequest, claim_id: UUID) -> HttpResponse:
    """Give a domain up. Whoever is on it goes on at the sub-domain."""
    try:
        domains.remove_domain(actor=request.actor, claim_id=claim_id)
    except NotFound as error:
        return error_page(request, error)
    messages.success(request, _("The domain is removed."))
    return _back()


@require_GET
def certificate_allowed(request: PageRequest) -> HttpResponse:
    """Tells a proxy on this machine or a trusted one whether to fetch a certificate: 200 or 404, 403 to others."""
    if not _asks_itself(request):
        return HttpResponse("This is for the proxy in front.", status=403, content_type="text/plain")
    served = domains.is_served(request.GET.get("domain", ""))
    answer = ("yes", 200) if served else ("no", 404)
    return HttpResponse(answer[0], status=answer[1], content_type="text/plain")


def _page(request: PageRequest, form: forms.Form, slug_form: forms.Form) -> HttpResponse:
    context = settings_context(
        "domains",
        addresses=domains.addresses(actor=request.actor),
        form=form,
        slug_form=slug_form,
        platform_host=request.tenant.host.partition(".")[2],
    )
    return render(request, "tenancy/domains.html", context, status=400 if form.errors or slug_form.errors else 200)


def _asks_itself(request: PageRequest) -> bool:
    # What a proxy passes on says so; its own question comes bare, from this machine or from where proxies are.
    near = (*_LOOPBACK, *settings.TRUSTED_PROXIES)
    return edge.came_directly(request.META) and edge.is_within(request.META.get("REMOTE_ADDR", ""), near)


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("settings-domains"))

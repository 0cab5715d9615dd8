"""The organisation's brands: list, editor with a preview that follows what is typed, logos."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit import selectors as audit
from apps.core import colours, editing
from apps.core.errors import DomainError, NotFound, ValidationFailed
from apps.core.pages import PageRequest, error_page, page
from apps.core.versions import VersionConflict
from apps.tenancy import brands, domains, logos
from apps.tenancy.brands import BrandView
from apps.tenancy.forms import BrandForm, show_refusal
from apps.tenancy.views.organisation import settings_context

_SAMPLE = "INV-2026-0042"
_STYLE = """:root {
  --accent: light-dark(%(text)s, %(text_dark)s);
  --accent-fill: light-dark(%(fill)s, %(fill_dark)s);
  --on-accent: light-dark(%(on_fill)s, %(on_fill_dark)s);
  --accent-tint: light-dark(color-mix(in oklab, %(fill)s 8%%, #fff), color-mix(in oklab, %(fill_dark)s 22%%, #161922));
  --mark: var(--accent-fill);
}
"""


@require_GET
@page("brands:write")
def brand_list(request: PageRequest) -> HttpResponse:
    """All brands."""
    context = settings_context("brands", brands=brands.list_brands(actor=request.actor))
    return render(request, "tenancy/brands.html", context)


@require_http_methods(["GET", "POST"])
@page("brands:write")
def create(request: PageRequest) -> HttpResponse:
    """A new brand."""
    return _editor(request, None)


@require_http_methods(["GET", "POST"])
@page("brands:write")
def edit(request: PageRequest, brand_id: UUID) -> HttpResponse:
    """Change a brand."""
    try:
        return _editor(request, brands.get_brand(actor=request.actor, brand_id=brand_id))
    except NotFound as error:
        return error_page(request, error)


@require_POST
@page("brands:write")
def preview(request: PageRequest) -> HttpResponse:
    """What the form's values look like, before anything is saved."""
    base = None
    if brand_id := request.GET.get("brand"):
        try:
            base = brands.get_brand(actor=request.actor, brand_id=UUID(brand_id))
        except (NotFound, ValueError):
            return error_page(request, NotFound())
    form = _form(request, request.POST, None)
    form.is_valid()
    return render(request, "tenancy/_brand_preview.html", _preview(request, base, form.values()))


@require_POST
@page("brands:write")
def make_default(request: PageRequest, brand_id: UUID) -> HttpResponse:
    """Use this brand where none is chosen."""
    try:
        brand = brands.make_default(actor=request.actor, brand_id=brand_id)
    except NotFound as error:
        return error_page(request, error)
    messages.success(request, _("%(name)s is the default brand.") % {"name": brand.name})
    return HttpResponseRedirect(reverse("settings-brands"))


@require_POST
@page("brands:write")
def delete(request: PageRequest, brand_id: UUID) -> HttpResponse:
    """Remove a brand."""
    try:
        brands.delete_brand(actor=request.actor, brand_id=brand_id)
    except NotFound as error:
        return error_page(request, error)
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The brand is deleted."))
    return HttpResponseRedirect(reverse("settings-brands"))


@require_GET
@cache_control(public=True, max_age=31536000, immutable=True)
def logo(request: PageRequest, digest: str) -> HttpResponse:
    """A logo of this tenant, for everybody: sign-in pages, invoices and letters show it."""
    content = logos.read(request.tenant.id, digest)
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="image/png")


@require_GET
@cache_control(public=True, max_age=31536000, immutable=True)
def style(request: PageRequest, accent: str) -> HttpResponse:
    """The tokens of pages in an accent; made of nothing but the colour in its path."""
    return HttpResponse(_STYLE % asdict(colours.palette(f"#{accent}")), content_type="text/css")


def _editor(request: PageRequest, brand: BrandView | None) -> HttpResponse:
    form = _form(request, request.POST or None, brand)
    edit = editing.opened(brand.version) if brand else None
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                saved = _save(request, brand, form)
        except VersionConflict:
            assert brand is not None and brand.id is not None
            brand = brands.get_brand(actor=request.actor, brand_id=brand.id)
            form = _form(request, request.POST, brand)
            form.is_valid()
            change = audit.last_change(tenant_id=request.tenant.id, entity_type="brand", entity_id=brand.id)
            edit = editing.stale(brand.version, editing.differences(form), change)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("The brand is saved."))
            if warning := saved.warning:
                messages.warning(request, warning)
            return HttpResponseRedirect(reverse("settings-brands"))
    values = form.values() if form.is_bound else {}
    context = settings_context("brands", form=form, brand_row=brand, edit=edit, **_preview(request, brand, values))
    status = editing.status_of(edit, is_refused=bool(form.errors))
    return render(request, "tenancy/brand.html", context, status=status)


def _form(request: PageRequest, data: Any, brand: BrandView | None) -> BrandForm:
    initial: dict[str, Any] = {"accent": brands.DEFAULT_ACCENT}
    if brand is not None:
        initial = {name: getattr(brand, name) for name in BrandForm.base_fields if hasattr(brand, name)}
        initial["domain_id"] = str(brand.domain_id or "")
        initial.pop("logo")
    choices = domains.verified_hosts(tenant_id=request.tenant.id)
    return BrandForm(data, request.FILES or None, initial=initial, domains=choices)


def _save(request: PageRequest, brand: BrandView | None, form: BrandForm) -> BrandView:
    picture = _picture(form)
    values = form.values()
    saved = (
        brands.create_brand(actor=request.actor, values=values)
        if brand is None or brand.id is None
        else brands.update_brand(actor=request.actor, brand_id=brand.id, changes=values, expected=editing.seen(request))
    )
    assert saved.id is not None
    if picture is not None:
        return brands.set_logo(actor=request.actor, brand_id=saved.id, content=picture)
    if form.cleaned_data["remove_logo"]:
        return brands.set_logo(actor=request.actor, brand_id=saved.id, content=None)
    return saved


def _picture(form: BrandForm) -> bytes | None:
    upload: UploadedFile[bytes] | None = form.cleaned_data["logo"]
    if upload is None:
        return None
    if (upload.size or 0) > logos.LARGEST_FILE:
        raise ValidationFailed.one("logo", "too_large", _("The file is larger than 2 MB."))
    content: bytes = upload.read()
    return content


def _preview(request: PageRequest, base: BrandView | None, values: brands.BrandChanges) -> dict[str, Any]:
    shown = brands.draft(request.tenant, base, values)
    seller = request.tenant.legal_name or request.tenant.name
    with override(shown.locale or request.tenant.locale):
        subject = _("Invoice %(number)s from %(seller)s") % {
            "number": _SAMPLE,
            "seller": shown.sender_name or seller,
        }
    return {"shown": shown, "seller": seller, "subject": subject, "number": _SAMPLE}

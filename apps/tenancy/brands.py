"""Brands: the faces that a tenant shows on its pages, letters and invoices. One of them is the default."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict, cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.core import colours, events, versions
from apps.core.actor import Actor
from apps.core.errors import Conflict, FieldError, NotFound, ValidationFailed
from apps.tenancy import logos
from apps.tenancy.errors import TooMany
from apps.tenancy.events import BrandCreated, BrandDeleted, BrandUpdated
from apps.tenancy.models import Brand, Domain, DomainKind, Tenant
from apps.tenancy.selectors import TenantView, url_of
from apps.tenancy.trail import own_tenant

DEFAULT_ACCENT = "#2f5fe0"
MOST_BRANDS = 50
LONGEST_NAME, LONGEST_SENDER, LONGEST_REPLY_TO, LONGEST_TEXT = 60, 100, 254, 500
TEXTS = ("invoice_intro", "payment_terms", "invoice_footer")
# Below this nobody sees on white paper where the colour is.
LEAST_CONTRAST = 1.1
_KEPT = ("name", "accent", "logo", "sender_name", "reply_to", "locale", *TEXTS)


class BrandInUse(Conflict):
    """The default brand stays as long as it is the default one."""

    code, title = "brand_is_default", "The default brand cannot be deleted"


@dataclass(frozen=True, slots=True)
class BrandView:
    """A brand. Without an `id` it is what a tenant without brands looks like. `host` is its own domain, if any."""

    id: UUID | None
    name: str
    accent: str = DEFAULT_ACCENT
    logo: str = ""
    sender_name: str = ""
    reply_to: str = ""
    locale: str = ""
    invoice_intro: str = ""
    payment_terms: str = ""
    invoice_footer: str = ""
    is_default: bool = True
    domain_id: UUID | None = None
    host: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def version(self) -> str:
        """The version of what people edit."""
        return versions.version_of({name: getattr(self, name) for name in (*_KEPT, "is_default", "domain_id")})

    @property
    def palette(self) -> colours.Palette:
        """The accent as pages need it."""
        return colours.palette(self.accent)

    @property
    def logo_path(self) -> str:
        """The logo's path on the tenant's hosts; empty without one."""
        return logo_path(self.logo)

    @property
    def style_path(self) -> str:
        """The path of the style sheet that paints pages in the accent."""
        return f"/brand/{self.accent[1:]}.css"

    @property
    def warning(self) -> str:
        """What to know of the accent, if it is hard to see on white."""
        return accent_warning(self.accent)


class BrandChanges(TypedDict, total=False):
    """What may be set of a brand; what is left out stays."""

    name: str
    accent: str
    sender_name: str
    reply_to: str
    locale: str
    invoice_intro: str
    payment_terms: str
    invoice_footer: str
    domain_id: UUID | None


def logo_path(digest: str) -> str:
    """Where a tenant's hosts show a logo; empty without one."""
    return f"/brand/{digest}.png" if digest else ""


def list_brands(*, actor: Actor) -> list[BrandView]:
    """The actor's tenant's brands, the default one first.

    Raises:
        PermissionRefused: the actor lacks ``invoices:read``; whoever writes invoices chooses among them.
    """
    tenant = own_tenant(actor, "invoices:read")
    return [_view(row) for row in _rows(tenant.id).order_by("-is_default", "name")]


def get_brand(*, actor: Actor, brand_id: UUID) -> BrandView:
    """One brand; raises as `list_brands` does, and NotFound for another tenant's."""
    return _view(_one(own_tenant(actor, "invoices:read"), brand_id))


def brand_of(tenant: TenantView, brand_id: UUID | None) -> BrandView:
    """The brand `brand_id`, the default one when it is gone or none was chosen."""
    rows = list(_rows(tenant.id).filter(is_default=True)) if brand_id is None else list(_rows(tenant.id))
    chosen = next((row for row in rows if row.pk == brand_id), None) or next(
        (row for row in rows if row.is_default), None
    )
    return _view(chosen) if chosen else BrandView(None, tenant.name)


def brand_for_host(tenant: TenantView, host: str) -> BrandView:
    """The brand whose domain `host` is, otherwise the default one."""
    rows = list(_rows(tenant.id))
    chosen = next((row for row in rows if row.domain and row.domain.domain == host), None) or next(
        (row for row in rows if row.is_default), None
    )
    return _view(chosen) if chosen else BrandView(None, tenant.name)


def brand_exists(*, tenant_id: UUID, brand_id: UUID) -> bool:
    """Whether the tenant has this brand."""
    return Brand.objects.filter(tenant_id=tenant_id, pk=brand_id).exists()


def domain_of(column: str) -> Subquery:
    """For a query over rows whose `column` is a brand's id: the brand's own domain, null where it has none."""
    return Subquery(Brand.objects.filter(pk=OuterRef(column)).values("domain__domain"))


def brand_domains(tenant: TenantView) -> dict[UUID, str]:
    """The domains of brands that have one of their own."""
    rows = Brand.objects.filter(tenant_id=tenant.id, domain__isnull=False).values_list("pk", "domain__domain")
    return dict(rows)


def brand_urls(tenant: TenantView) -> dict[UUID, str]:
    """Where the pages of brands with a domain of their own are."""
    return {brand_id: url_of(domain) for brand_id, domain in brand_domains(tenant).items()}


def create_brand(*, actor: Actor, values: BrandChanges) -> BrandView:
    """Add a brand; the first one is the default.

    Raises:
        PermissionRefused: the actor lacks ``brands:write``.
        ValidationFailed: a value breaks a rule; a name that another brand has; an accent that nobody sees.
        TooMany: fifty brands stand already.
    """
    own_tenant(actor, "brands:write")
    with transaction.atomic():
        tenant = own_tenant(actor, "brands:write", lock=True)
        count = Brand.objects.filter(tenant=tenant).count()
        if count >= MOST_BRANDS:
            raise TooMany(_("An organisation has at most %(most)s brands.") % {"most": MOST_BRANDS})
        row = Brand(tenant=tenant, is_default=count == 0, accent=DEFAULT_ACCENT)
        _apply(row, values)
        _save(row)
        _record(actor, row, "create", None)
        events.publish(BrandCreated(tenant_id=tenant.id, brand_id=row.pk))
        return _view(row)


def update_brand(
    *, actor: Actor, brand_id: UUID, changes: BrandChanges, expected: versions.Expected = None
) -> BrandView:
    """Change what `changes` names.

    Raises:
        PermissionRefused, ValidationFailed: as `create_brand`.
        NotFound: unknown, or another tenant's.
        VersionConflict: its version is not among `expected`.
    """
    own_tenant(actor, "brands:write")
    with transaction.atomic():
        row = _expected(own_tenant(actor, "brands:write", lock=True), brand_id, expected)
        before = _state(row)
        _apply(row, changes)
        return _changed(actor, row, before)


def set_logo(*, actor: Actor, brand_id: UUID, content: bytes | None, expected: versions.Expected = None) -> BrandView:
    """Replace the logo, or take it away.

    Raises:
        PermissionRefused: the actor lacks ``brands:write``.
        NotFound: unknown, or another tenant's.
        ValidationFailed: see `logos.store`.
        VersionConflict: its version is not among `expected`.
    """
    own_tenant(actor, "brands:write")
    with transaction.atomic():
        row = _expected(own_tenant(actor, "brands:write", lock=True), brand_id, expected)
        before = _state(row)
        row.logo = "" if content is None else logos.store(row.tenant_id, content)
        return _changed(actor, row, before)


def make_default(*, actor: Actor, brand_id: UUID) -> BrandView:
    """Use this brand wherever none was chosen; raises PermissionRefused and NotFound."""
    own_tenant(actor, "brands:write")
    with transaction.atomic():
        tenant = own_tenant(actor, "brands:write", lock=True)
        row = _one(tenant, brand_id)
        if row.is_default:
            return _view(row)
        before = _state(row)
        Brand.objects.filter(tenant=tenant, is_default=True).update(is_default=False)
        row.is_default = True
        return _changed(actor, row, before)


def delete_brand(*, actor: Actor, brand_id: UUID, expected: versions.Expected = None) -> None:
    """Remove a brand: issued invoices keep its face, drafts fall back to the default one.

    Raises:
        PermissionRefused: the actor lacks ``brands:write``.
        NotFound: unknown, or another tenant's.
        BrandInUse: it is the default one and others stand beside it.
        VersionConflict: its version is not among `expected`.
    """
    own_tenant(actor, "brands:write")
    with transaction.atomic():
        tenant = own_tenant(actor, "brands:write", lock=True)
        row = _expected(tenant, brand_id, expected)
        if row.is_default and Brand.objects.filter(tenant=tenant).count() > 1:
            raise BrandInUse(_("Make another brand the default one first."))
        _record(actor, row, "delete", _state(row))
        row.delete()
        events.publish(BrandDeleted(tenant_id=tenant.id, brand_id=brand_id))


def accent_warning(accent: str) -> str:
    """What to know of an accent that is hard to see on white paper; empty when it is fine."""
    if colours.contrast(accent, colours.WHITE) >= colours.CONTROL_CONTRAST:
        return ""
    return _("This colour is pale: buttons are hard to see on white. Text in it is darkened so that it can be read.")


def draft(tenant: TenantView, base: BrandView | None, changes: BrandChanges) -> BrandView:
    """What a brand would look like with `changes`, for the preview; values that are refused leave `base` as it is."""
    brand = base or BrandView(None, tenant.name)
    kept: dict[str, Any] = {}
    for name, value in changes.items():
        if name != "domain_id" and not _errors(cast(BrandChanges, {name: value})):
            kept[name] = colours.normalised(str(value)) if name == "accent" else value
    return replace(brand, **kept)


def _apply(row: Brand, changes: BrandChanges) -> None:
    stripped = {name: value.strip() if isinstance(value, str) else value for name, value in changes.items()}
    changes = cast(BrandChanges, stripped)
    errors = _errors(changes)
    if row._state.adding and "name" not in changes:
        errors.append(FieldError("name", "required", _("Give the brand a name.")))
    domain_id = changes.get("domain_id")
    if domain_id is not None:
        own = Domain.objects.filter(tenant_id=row.tenant_id, kind=DomainKind.CUSTOM, pk=domain_id)
        if not own.exists():
            errors.append(FieldError("domain_id", "not_verified", _("Choose one of your verified domains.")))
        elif Brand.objects.filter(tenant_id=row.tenant_id, domain_id=domain_id).exclude(pk=row.pk).exists():
            errors.append(FieldError("domain_id", "taken", _("Another brand has this domain.")))
    name = changes.get("name", "")
    if name and Brand.objects.filter(tenant_id=row.tenant_id, name__iexact=name).exclude(pk=row.pk).exists():
        errors.append(FieldError("name", "taken", _("Another brand has this name.")))
    if errors:
        raise ValidationFailed(errors)
    if "accent" in changes:
        changes["accent"] = colours.normalised(changes["accent"])
    for field, value in changes.items():
        setattr(row, field, value)


def _errors(changes: BrandChanges) -> list[FieldError]:
    found: list[FieldError] = []
    limits = {"name": LONGEST_NAME, "sender_name": LONGEST_SENDER, "reply_to": LONGEST_REPLY_TO}
    limits |= dict.fromkeys(TEXTS, LONGEST_TEXT)
    for field, most in limits.items():
        text = str(changes.get(field, ""))
        if len(text) > most:
            found.append(FieldError(field, "max_length", _("At most %(most)s characters.") % {"most": most}))
        elif "\x00" in text or (field not in TEXTS and not text.isprintable()):
            found.append(FieldError(field, "invalid", _("This holds characters that cannot be shown.")))
    if "name" in changes and not changes["name"]:
        found.append(FieldError("name", "required", _("Give the brand a name.")))
    if "accent" in changes and (fault := _accent_fault(changes["accent"])):
        found.append(fault)
    if changes.get("reply_to"):
        try:
            validate_email(changes["reply_to"])
        except ValidationError:
            found.append(FieldError("reply_to", "invalid", _("Enter an e-mail address.")))
    if changes.get("locale") and changes["locale"] not in dict(settings.LANGUAGES):
        found.append(FieldError("locale", "invalid_choice", _("This language is not offered.")))
    return found


def _accent_fault(accent: str) -> FieldError | None:
    try:
        colour = colours.normalised(accent)
    except ValueError:
        return FieldError("accent", "invalid", _("Enter a colour such as #2f5fe0."))
    if colours.contrast(colour, colours.WHITE) < LEAST_CONTRAST:
        return FieldError("accent", "unusable", _("Nobody would see this colour on white; choose a darker one."))
    return None


def _changed(actor: Actor, row: Brand, before: dict[str, Any]) -> BrandView:
    if _state(row) != before:
        _save(row)
        _record(actor, row, "update", before)
        events.publish(BrandUpdated(tenant_id=row.tenant_id, brand_id=row.pk))
    return _view(row)


def _save(row: Brand) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise ValidationFailed.one("name", "taken", _("Another brand has this name.")) from error


def _rows(tenant_id: UUID) -> Any:
    return Brand.objects.filter(tenant_id=tenant_id).select_related("domain")


def _one(tenant: Tenant, brand_id: UUID) -> Brand:
    row: Brand | None = _rows(tenant.pk).filter(pk=brand_id).first()
    if row is None:
        raise NotFound
    return row


def _expected(tenant: Tenant, brand_id: UUID, expected: versions.Expected) -> Brand:
    row = _one(tenant, brand_id)
    versions.require(expected, _view(row).version)
    return row


def _view(row: Brand) -> BrandView:
    return BrandView(
        id=row.pk,
        is_default=row.is_default,
        domain_id=row.domain_id,
        host=row.domain.domain if row.domain else "",
        created_at=row.created_at,
        updated_at=row.updated_at,
        **{name: getattr(row, name) for name in _KEPT},
    )


def _state(row: Brand) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*_KEPT, "is_default", "domain_id")}


def _record(actor: Actor, row: Brand, verb: str, before: dict[str, Any] | None) -> None:
    after = {"deleted": True} if verb == "delete" else _state(row)
    audit.record(
        actor=actor,
        action=f"tenancy.brand.{verb}",
        entity_type="brand",
        entity_id=row.pk,
        entity_label=row.name,
        before=before,
        after=after,
        tenant_id=row.tenant_id,
    )

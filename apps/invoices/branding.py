"""The brand of an invoice: the present one of a draft, the one that it was issued with afterwards."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from apps.core import colours
from apps.invoices.models import Invoice, InvoiceStatus
from apps.tenancy import brands
from apps.tenancy.brands import BrandView
from apps.tenancy.selectors import TenantView


@dataclass(frozen=True, slots=True)
class InvoiceBrand:
    """What an invoice looks like and says besides its lines."""

    id: UUID | None
    name: str
    accent: str = brands.DEFAULT_ACCENT
    logo: str = ""
    sender_name: str = ""
    reply_to: str = ""
    locale: str = ""
    invoice_intro: str = ""
    payment_terms: str = ""
    invoice_footer: str = ""

    @property
    def palette(self) -> colours.Palette:
        """The accent as pages need it."""
        return colours.palette(self.accent)

    @property
    def logo_path(self) -> str:
        """The logo's path on the tenant's hosts; empty without one."""
        return brands.logo_path(self.logo)

    @property
    def style_path(self) -> str:
        """The path of the style sheet that paints pages in the accent."""
        return f"/brand/{self.accent[1:]}.css"


def present(invoice: Invoice, tenant: TenantView) -> InvoiceBrand:
    """The brand that the invoice would be issued with now."""
    found: BrandView = brands.brand_of(tenant, invoice.brand_id)
    return InvoiceBrand(**{name: getattr(found, name) for name in InvoiceBrand.__dataclass_fields__})


def of(invoice: Invoice, tenant: TenantView) -> InvoiceBrand:
    """The invoice's brand; what was issued before there were brands shows the seller and the standard colour."""
    if invoice.status == InvoiceStatus.DRAFT:
        return present(invoice, tenant)
    return InvoiceBrand(invoice.brand_id, **({"name": invoice.seller_name} | invoice.brand))


def frozen(brand: InvoiceBrand) -> dict[str, Any]:
    """What is kept of a brand at issuing; its id stands in a column."""
    return {name: value for name, value in asdict(brand).items() if name != "id"}


def letterhead(invoice: Invoice, tenant: TenantView) -> dict[str, str]:
    """What letters about the invoice look like."""
    return letterhead_of(of(invoice, tenant), tenant)


def letterhead_of(brand: InvoiceBrand, tenant: TenantView) -> dict[str, str]:
    """What letters of a brand look like; nothing for the standard one."""
    if brand.id is None:
        return {}
    return {
        "name": brand.name,
        "accent": brand.palette.fill,
        "on_accent": brand.palette.on_fill,
        "logo_url": f"{tenant.url}{brand.logo_path}" if brand.logo else "",
        "sender_name": brand.sender_name,
        "reply_to": brand.reply_to,
        "intro": brand.invoice_intro,
        "footer": brand.invoice_footer,
    }


def hosted_url(invoice: Invoice, tenant: TenantView, urls: dict[UUID, str] | None = None) -> str:
    """Where the customer sees the invoice: on its brand's domain as long as that is the tenant's.

    `urls` are `brands.brand_urls`, for whoever asks for many.
    """
    if invoice.brand_id is None:
        base = tenant.url
    else:
        base = (brands.brand_urls(tenant) if urls is None else urls).get(invoice.brand_id, tenant.url)
    return f"{base}/i/{invoice.link_token}/"

"""From an invoice to the printed page: labels, money and dates in the client's language."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from apps.core.documents import typesetting
from apps.core.documents.typesetting import Amount, DocumentLine, InvoiceDocument
from apps.core.money import format_minor
from apps.core.tenants import current_tenant_id
from apps.invoices.projections import InvoiceView, LineView, Party
from apps.tenancy import logos


def typeset(invoice: InvoiceView) -> bytes:
    """The PDF of an issued invoice as it was issued: what was paid since is not on it.

    Raises:
        apps.core.documents.typesetting.TypesettingError: typst refused the document.
    """
    logo = logos.read(current_tenant_id(), invoice.brand.logo) if invoice.brand.logo else None
    return typesetting.render_invoice(compose(invoice, logo=logo or b""), font_dir=Path(settings.FONT_DIR))


def compose(invoice: InvoiceView, *, logo: bytes = b"") -> InvoiceDocument:
    """Everything that is printed. Labels come in the nearest language that there is, figures by the client's own."""
    brand = invoice.brand
    language = _supported(invoice.locale)
    figures = _Figures(invoice.locale, invoice.currency)
    issued_on = invoice.issue_date or invoice.created_at.date()
    with translation.override(language):
        return InvoiceDocument(
            locale=language,
            title=_("Invoice"),
            number=invoice.number or _("Draft"),
            seller=_party(invoice.seller),
            buyer=_party(invoice.buyer),
            facts=(
                (_("Issued"), figures.day(issued_on)),
                (_("Due"), figures.day(invoice.due_date)),
            ),
            columns=(_("Description"), _("Quantity"), _("Unit price"), _("Tax"), _("Amount")),
            lines=tuple(_line(line, figures) for line in invoice.lines),
            totals=_totals(invoice, figures),
            issued_on=issued_on,
            notes=invoice.notes,
            footer=_footer(invoice.seller, brand.invoice_footer),
            accent=brand.accent,
            logo=logo,
            intro=brand.invoice_intro,
            terms=brand.payment_terms,
            pay_url=(invoice.hosted_url or "") if invoice.total_minor else "",
            pay_label=_("View and pay online"),
            labels={"billed_to": _("Billed to"), "from": _("From")},
        )


class _Figures:
    """Numbers, money and dates by one locale (CLDR)."""

    def __init__(self, locale: str, currency: str) -> None:
        self._name, self._currency = locale, currency
        self._locale = Locale.parse(locale.replace("-", "_"))

    def money(self, amount_minor: int) -> str:
        return format_minor(amount_minor, self._currency, self._name)

    def quantity(self, number: Decimal) -> str:
        return str(format_decimal(number.normalize(), format="#,##0.######", locale=self._locale))

    def rate(self, percent: Decimal) -> str:
        return str(format_percent(percent.normalize() / 100, locale=self._locale, decimal_quantization=False))

    def day(self, day: date) -> str:
        return str(format_date(day, "long", locale=self._locale))


def _line(line: LineView, figures: _Figures) -> DocumentLine:
    discount = _("Less a discount of %(amount)s") % {"amount": figures.money(line.discount_minor)}
    return DocumentLine(
        description=line.description,
        quantity=figures.quantity(line.quantity),
        unit_price=figures.money(line.unit_price_minor),
        tax_rate=figures.rate(line.tax_rate),
        amount=figures.money(line.net_minor),
        note=discount if line.discount_minor else "",
    )


def _totals(invoice: InvoiceView, figures: _Figures) -> tuple[Amount, ...]:
    rows = [Amount(_("Subtotal"), figures.money(invoice.subtotal_minor))]
    if invoice.discount_minor:
        rows.append(Amount(_("Discount"), figures.money(-invoice.discount_minor)))
    for group in invoice.tax_breakdown:
        label = _("Tax %(rate)s on %(base)s") % {
            "rate": figures.rate(group.rate),
            "base": figures.money(group.base_minor),
        }
        rows.append(Amount(label, figures.money(group.tax_minor)))
    return (*rows, Amount(_("Total"), figures.money(invoice.total_minor), strong=True))


def _party(party: Party) -> typesetting.Party:
    lines = tuple(line.strip() for line in party.address.splitlines() if line.strip())
    return typesetting.Party(party.name, lines, party.tax_id, party.email)


def _footer(seller: Party, own: str) -> str:
    address = ", ".join(line.strip() for line in seller.address.splitlines() if line.strip())
    known = " · ".join(part for part in (seller.name, address, seller.tax_id, seller.email) if part)
    return "\n".join(part for part in (own, known) if part)


def _supported(locale: str) -> str:
    try:
        return translation.get_supported_language_variant(locale.lower())
    except LookupError:
        return settings.LANGUAGE_CODE

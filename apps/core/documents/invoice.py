"""What an invoice says on paper, already translated and formatted for its reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Party:
    """One side of the invoice; `lines` is its postal address."""

    name: str
    lines: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""


@dataclass(frozen=True)
class DocumentLine:
    """One invoice line, every value already formatted for the locale; `note` is set small below the description."""

    description: str
    quantity: str
    unit_price: str
    tax_rate: str
    amount: str
    note: str = ""


@dataclass(frozen=True)
class Amount:
    """One row of the totals block; `strong` sets it large, its value in the accent colour."""

    label: str
    value: str
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class InvoiceDocument:
    """Everything that is printed, already translated and formatted.

    `locale` is a language tag ("en", "de", "pt-BR"): direction, language and paper follow from it. `facts` are pairs
    of label and value (issued, due, …); `columns` the headings of description, quantity, unit price, tax and amount.
    `labels` may hold ``billed_to``, ``tax_id`` and ``page_of`` (a pattern with ``{page}`` and ``{pages}``).
    `accent` is ``#rrggbb`` or ``#rgb`` and is darkened where it would be too pale to read. `pay_url` is http(s).
    `logo` is a PNG in place of the seller's initial; `intro` stands above the lines, `terms` below the totals.
    """

    locale: str
    title: str
    number: str
    seller: Party
    buyer: Party
    facts: tuple[tuple[str, str], ...]
    columns: tuple[str, str, str, str, str]
    lines: tuple[DocumentLine, ...]
    totals: tuple[Amount, ...]
    issued_on: date
    notes: str = ""
    footer: str = ""
    pay_url: str = ""
    pay_label: str = ""
    accent: str = "#2f5fe0"
    logo: bytes = b""
    intro: str = ""
    terms: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

"""Setting documents with typst as PDF/A-3a and PDF/UA-1.

Data enters as JSON through `sys.inputs` and is never part of the template's source, so no text of a user can be
markup or code.
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

from apps.core.documents import fonts

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
STANDARDS = ["a-3a", "ua-1"]
_ACCENT = re.compile(r"#[0-9a-fA-F]{6}")
_local = threading.local()


class TypesettingError(Exception):
    """The document could not be set; the message is typst's."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells or buys; `lines` is the address."""

    name: str
    lines: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One position, every value formatted for the locale already."""

    description: str
    quantity: str
    unit_price: str
    tax_rate: str
    amount: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    """One row of the totals; `strong` marks what is to be paid."""

    label: str
    value: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """Everything that is printed on an invoice. `locale` decides language and direction; `accent` is ``#rrggbb``."""

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
    labels: Mapping[str, str] = field(default_factory=dict)


def render_invoice(document: InvoiceDocument, *, font_dir: Path | None = None) -> bytes:
    """The PDF, the same bytes for the same document.

    Raises:
        ValueError: `accent` is no colour.
        TypesettingError: typst refused the document.
    """
    if not _ACCENT.fullmatch(document.accent):
        raise ValueError(f"{document.accent!r} is not a colour of the form #rrggbb")
    directory = Path(font_dir or settings.FONT_DIR)
    language = document.locale.replace("_", "-").split("-")[0].lower()
    data = _settable(asdict(document), directory) | {
        "locale": language,
        "rtl": language in RIGHT_TO_LEFT,
        "accent": document.accent,
        "pay_url": document.pay_url,
        "issued_on": document.issued_on.isoformat(),
        "fonts": [family.name for family in fonts.FAMILIES],
    }
    created = datetime(document.issued_on.year, document.issued_on.month, document.issued_on.day, tzinfo=UTC)
    try:
        return bytes(
            _compiler(directory).compile(
                format="pdf",
                sys_inputs={"data": json.dumps(data)},
                pdf_standards=STANDARDS,
                timestamp=created,
            )
        )
    except typst.TypstError as error:
        raise TypesettingError(error.message) from error


def _compiler(directory: Path) -> Any:
    # A compiler keeps state between calls, so each thread has its own; the fonts are shared.
    key = str(directory)
    compilers: dict[str, Any] = _local.__dict__.setdefault("compilers", {})
    if key not in compilers:
        template = Path(settings.BASE_DIR) / "templates" / "pdf" / "invoice.typ"
        compilers[key] = typst.Compiler(
            input=str(template), root=str(template.parent), font_paths=_fonts(directory), ignore_system_fonts=True
        )
    return compilers[key]


@cache
def _fonts(directory: Path) -> Any:
    fonts.prepare_fonts(directory)
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(directory)])


def _settable(value: Any, directory: Path) -> Any:
    if isinstance(value, str):
        _fonts(directory)
        return fonts.settable(value, directory)
    if isinstance(value, dict):
        return {key: _settable(item, directory) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_settable(item, directory) for item in value]
    return value

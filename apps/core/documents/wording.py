"""The data that the invoice template reads: every string legible, with the direction its reader expects."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from apps.core.colours import legible_accent
from apps.core.documents.invoice import DocumentLine, InvoiceDocument, Party
from apps.core.documents.legibility import Direction, Legibility, first_strong

_LOCALE = re.compile(r"([a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_]([a-z]{2}|\d{3}))?", re.IGNORECASE)
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
# Where CLDR names US Letter as the paper of the region.
_LETTER_REGIONS = frozenset({"US", "CA", "MX", "CL", "CO", "PH", "PR", "VE", "CR", "GT", "NI", "PA", "SV"})
_LONGEST_URL = 2000
# A heading or name taller than its page could never be set; no honest one comes near.
_LONGEST_LINE = 250
_LONGEST_HEADING = 60
_LABELS = {"billed_to": "Billed to", "tax_id": "", "page_of": "{page} / {pages}"}

Text = dict[str, str]
# Whether typst refuses a text, set in a language.
Refusal = Callable[[Text, str], bool]


def invoice_data(document: InvoiceDocument, legibility: Legibility, is_refused: Refusal) -> dict[str, Any]:
    """`document` as JSON-ready data for ``invoice.typ``; a text is ``{"text", "dir"}``.

    A text that `is_refused` gives up its combining marks, see `Legibility.legible`.

    Raises:
        ValueError: malformed locale, accent colour or pay URL.
    """
    language, region = _language(document.locale)
    direction: Direction = "rtl" if language in _RIGHT_TO_LEFT else "ltr"
    writer = _Writer(legibility, direction, lambda text: is_refused(text, language))
    labels = _LABELS | dict(document.labels)
    number = writer.identifier(document.number)
    title = writer.line(document.title)
    seller = _party(writer, document.seller)
    return {
        "lang": language,
        "region": region,
        "dir": writer.direction,
        "paper": "us-letter" if region in _LETTER_REGIONS else "a4",
        "accent": legible_accent(document.accent),
        # PDF/UA refuses a document without a title.
        "name": f"{title['text']} {number['text']}".strip() or "Invoice",
        "title": title,
        "number": number,
        "monogram": _monogram(seller["name"]["text"]),
        "seller": seller,
        "buyer": _party(writer, document.buyer),
        "facts": [{"label": writer.line(label), "value": writer.identifier(value)} for label, value in document.facts],
        "columns": [writer.line(heading, most=_LONGEST_HEADING) for heading in document.columns],
        "lines": [_line(writer, line) for line in document.lines],
        "totals": [
            {"label": writer.line(row.label), "value": writer.figure(row.value), "strong": row.strong}
            for row in document.totals
        ],
        "intro": writer.prose(document.intro),
        "terms": writer.prose(document.terms),
        "has_logo": bool(document.logo),
        "notes": writer.prose(document.notes),
        "footer": writer.prose(document.footer),
        "pay": {"url": _web_address(document.pay_url), "label": writer.line(document.pay_label or document.pay_url)},
        "labels": {key: writer.line(labels[key], most=_LONGEST_HEADING) for key in _LABELS},
    }


class _Writer:
    """Makes the texts of one document, which reads in `direction`."""

    def __init__(self, legibility: Legibility, direction: Direction, is_refused: Callable[[Text], bool]) -> None:
        self.direction = direction
        self._legibility = legibility
        self._is_refused = is_refused

    def prose(self, text: str) -> Text:
        """Free text of several lines; reads in its own direction, in the document's where it has none."""
        return self._text(text, self.direction)

    def line(self, text: str, *, most: int = _LONGEST_LINE) -> Text:
        """Free text of one line, cut off after `most` characters."""
        return self._text(_one_line(text, most), self.direction)

    def identifier(self, text: str) -> Text:
        """A name, address, number or date: without letters it reads left to right, as a phone number does."""
        return self._text(_one_line(text, _LONGEST_LINE), "ltr")

    def figure(self, text: str) -> Text:
        """A quantity or amount, formatted for the document's locale and so for its direction."""
        return self._text(_one_line(text, _LONGEST_LINE), self.direction) | {"dir": self.direction}

    def _text(self, text: str, otherwise: Direction) -> Text:
        said = self._said(self._legibility.legible(text), otherwise)
        if self._is_refused(said):
            return self._said(self._legibility.legible(text, plain=True), otherwise)
        return said

    def _said(self, legible: str, otherwise: Direction) -> Text:
        return {"text": legible, "dir": first_strong(legible) or otherwise}


def _line(writer: _Writer, line: DocumentLine) -> dict[str, Any]:
    return {
        "description": writer.prose(line.description),
        "note": writer.prose(line.note),
        "figures": [writer.figure(value) for value in (line.quantity, line.unit_price, line.tax_rate, line.amount)],
    }


def _one_line(text: str, most: int) -> str:
    line = " ".join(part.strip() for part in text.splitlines() if part.strip())
    return line if len(line) <= most else line[: most - 1] + "…"


def _party(writer: _Writer, party: Party) -> dict[str, Any]:
    return {
        "name": writer.identifier(party.name),
        "lines": [writer.identifier(line) for line in party.lines if line.strip()],
        "tax_id": writer.identifier(party.tax_id),
        "email": writer.identifier(party.email),
    }


def _language(locale: str) -> tuple[str, str]:
    """Language and region of a tag such as ``pt-BR``, ``zh-hans`` or ``es-419``; the region is "" unless a country."""
    match = _LOCALE.fullmatch(locale)
    if not match:
        raise ValueError(f"Not a language tag: {locale[:40]!r}")
    language, region = match[1].lower(), (match[2] or "").upper()
    return language, region if region.isalpha() else ""


def _monogram(name: str) -> str:
    return next((character.upper()[:1] for character in name if character.isalnum()), "")


def _web_address(url: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _LONGEST_URL
    if not (is_plain and parts.scheme in {"http", "https"} and parts.hostname):
        raise ValueError(f"Not a web address: {url[:80]!r}")
    return url

"""An invoice's data typeset as one PDF that archives keep (PDF/A-3a) and screen readers read (PDF/UA-1)."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import typst

from apps.core.documents.fonts import FontsUnavailable, Typefaces, load_typefaces, prepare_fonts
from apps.core.documents.invoice import Amount, DocumentLine, InvoiceDocument, Party
from apps.core.documents.legibility import Legibility
from apps.core.documents.wording import Refusal, Text, invoice_data

__all__ = ["Amount", "DocumentLine", "InvoiceDocument", "Party", "TypesettingError", "render_invoice"]

TEMPLATES = Path(__file__).resolve().parents[3] / "templates" / "pdf"


class TypesettingError(Exception):
    """The document cannot be typeset: bad locale, accent colour or pay URL, or no fonts."""


def render_invoice(document: InvoiceDocument, *, font_dir: Path) -> bytes:
    """The invoice as PDF/A-3a and PDF/UA-1 (tagged); the same document gives the same bytes.

    Any text is safe: it enters the template as data, and what the fonts cannot display is replaced. Several threads
    may render at once. `font_dir` is the directory that `prepare_fonts` fills at set-up; where it did not, this call
    does it and takes half a minute longer.

    Raises:
        TypesettingError: bad locale, accent or pay URL; fonts cannot be prepared; or typst refused the document.
    """
    try:
        return _typeset(document, _typefaces(font_dir))
    except (FontsUnavailable, OSError, ValueError) as error:
        raise TypesettingError(str(error)) from error
    except typst.TypstError as error:
        raise TypesettingError(f"The invoice could not be typeset: {error.message}") from error


def _typeset(document: InvoiceDocument, typefaces: Typefaces) -> bytes:
    # The coverage check sees characters, the shaper sees clusters: where they disagree, each text is asked for, and
    # when even that leaves a doubt, every text goes without its marks.
    doubts: tuple[Refusal, ...] = (_never_refused, partial(_is_refused, typefaces))
    for is_refused in doubts:
        with suppress(typst.TypstError):
            return _compile(document, typefaces, is_refused)
    return _compile(document, typefaces, _always_refused)


def _typefaces(font_dir: Path) -> Typefaces:
    try:
        return load_typefaces(font_dir)
    except FontsUnavailable:
        prepare_fonts(font_dir)
        return load_typefaces(font_dir)


def _compile(document: InvoiceDocument, typefaces: Typefaces, is_refused: Refusal) -> bytes:
    data = invoice_data(document, Legibility(typefaces.coverage), is_refused)
    inputs = {"invoice": json.dumps(data | {"fonts": typefaces.families}), "logo": _picture(document.logo)}
    day = document.issued_on
    return _pdf("invoice.typ", inputs, typefaces, datetime(day.year, day.month, day.day, tzinfo=UTC))


def _picture(png: bytes) -> str:
    # Inputs are text, and this wrapping of pixels as text is the one that typst reads by itself.
    if not png:
        return ""
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    data = base64.b64encode(png).decode()
    return f'{frame}<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'


def _never_refused(text: Text, language: str) -> bool:
    return False


def _always_refused(text: Text, language: str) -> bool:
    return True


def _is_refused(typefaces: Typefaces, text: Text, language: str) -> bool:
    if text["text"].isascii():
        return False
    inputs = text | {"lang": language, "fonts": json.dumps(typefaces.families)}
    try:
        _pdf("probe.typ", inputs, typefaces, datetime(2000, 1, 1, tzinfo=UTC))
    except typst.TypstError:
        return True
    return False


def _pdf(template: str, inputs: dict[str, str], typefaces: Typefaces, created_at: datetime) -> bytes:
    # One compiler per call: a compiler must not be entered by two threads, while the loaded fonts may be shared.
    compiler = typst.Compiler(
        TEMPLATES / template,
        root=TEMPLATES,
        font_paths=typefaces.loaded,
        ignore_system_fonts=True,
        sys_inputs=inputs,
    )
    pdf = compiler.compile(format="pdf", pdf_standards=["a-3a", "ua-1"], timestamp=created_at)
    assert isinstance(pdf, bytes)
    return pdf

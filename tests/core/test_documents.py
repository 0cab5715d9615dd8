"""Setting invoices: archival and accessible, the same bytes each time, whatever the text is."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pikepdf
import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.core.documents import fonts
from apps.core.documents.typesetting import Amount, DocumentLine, InvoiceDocument, Party, render_invoice

LINE = DocumentLine("Illustration set", "2", "€920.00", "19 %", "€1,840.00")
DOCUMENT = InvoiceDocument(
    locale="en",
    title="Invoice",
    number="INV-2026-0001",
    seller=Party("Northwind Studio", ("Hafenstraße 12", "20457 Hamburg"), "DE123456789", "hello@northwind.test"),
    buyer=Party("Ionian Yachts", ("Corfu",)),
    facts=(("Issued", "8 October 2026"), ("Due", "7 November 2026")),
    columns=("Description", "Qty", "Unit price", "Tax", "Amount"),
    lines=(LINE,),
    totals=(Amount("Subtotal", "€1,840.00"), Amount("Amount due", "€2,189.60", strong=True)),
    issued_on=date(2026, 10, 8),
    labels={"billed_to": "Billed to", "from": "From"},
)
HOSTILE = [
    '#panic("x")',
    "#import \"/etc/passwd\"",
    "$x$ \\ ] } ) *_@ <label> // comment /* */ `raw` = heading",
    "line\nbreak\r\nand\ttab",
    "\x00\x01\x1b[31m\u202e reversed \u2066 isolate",
    "emoji 🙂 and 中文 and \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "עברית العربية हिन्दी ภาษาไทย Ελληνικά Кириллица",
    "e\u0301 \u0e40\u0e01 \u0623\u0647\u0644\u0627 1,840.00 €",
    "",
    " ",
    "x" * 10_000,
]


@pytest.fixture(scope="session", autouse=True)
def prepared_fonts() -> None:
    fonts.prepare_fonts(Path(settings.FONT_DIR))


def opened(document: InvoiceDocument) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(render_invoice(document)))


def test_it_is_archival_tagged_and_in_its_language() -> None:
    with opened(replace(DOCUMENT, locale="de")) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "de"
        with pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "3"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == "Invoice INV-2026-0001"


def test_the_same_document_is_the_same_bytes() -> None:
    assert render_invoice(DOCUMENT) == render_invoice(DOCUMENT)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_is_never_markup_and_never_stops_an_invoice(text: str) -> None:
    hostile = replace(
        DOCUMENT,
        notes=text,
        footer=text,
        number=text,
        seller=replace(DOCUMENT.seller, name=text),
        lines=(replace(LINE, description=text, note=text),),
    )
    with opened(hostile) as pdf:
        assert len(pdf.pages) >= 1


@given(st.text(max_size=200))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_set(text: str) -> None:
    with opened(replace(DOCUMENT, notes=text)) as pdf:
        assert len(pdf.pages) >= 1


def test_unknown_glyphs_become_boxes_and_controls_vanish() -> None:
    assert fonts.settable("中\x00\u202ea", Path(settings.FONT_DIR)) == "□a"


@pytest.mark.parametrize("locale", ["ar", "he", "ar-EG"])
def test_right_to_left_documents(locale: str) -> None:
    with opened(replace(DOCUMENT, locale=locale, title="فاتورة")) as pdf:
        assert len(pdf.pages) == 1


def test_many_lines_flow_over_pages() -> None:
    with opened(replace(DOCUMENT, lines=(LINE,) * 200)) as pdf:
        assert 5 <= len(pdf.pages) <= 12


@pytest.mark.parametrize("accent", ["red", "#12345", "#1234567", '#12345"', ""])
def test_an_accent_is_a_colour(accent: str) -> None:
    with pytest.raises(ValueError, match="colour"):
        render_invoice(replace(DOCUMENT, accent=accent))


def test_threads_set_their_own_documents() -> None:
    documents = [replace(DOCUMENT, number=f"INV-{index}") for index in range(24)]
    expected = [render_invoice(document) for document in documents]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(render_invoice, documents)) == expected

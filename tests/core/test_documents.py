"""Setting invoices: archival and accessible, the same bytes each time, whatever the text is."""

import io
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pikepdf
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.core.colours import legible_accent
from apps.core.documents.fonts import MANIFEST, FontsUnavailable, load_typefaces, prepare_fonts
from apps.core.documents.legibility import Legibility
from apps.core.documents.typesetting import (
    Amount,
    DocumentLine,
    InvoiceDocument,
    Party,
    TypesettingError,
    render_invoice,
)

FONT_DIR = Path(settings.FONT_DIR)
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
    pay_url="https://pay.northwind.test/i/5f0c/",
    pay_label="Pay online",
    labels={"billed_to": "Billed to", "tax_id": "VAT ID", "page_of": "Page {page} of {pages}"},
)
SIGN = "<sign>"  # stands for whatever the fonts have to show that something is missing
HOSTILE = {
    "code": '#panic("x") #import "/etc/passwd": * #read("invoice.typ")',
    "markup": "$x$ \\ \" ] } ) *_@ <label> // comment /* */ `raw` = heading ~ -- '",
    "newlines": "line\nbreak\r\nand\ttab\u2028and\x85more\n\n\n\nend",
    "controls": "\x00\x01\x1b[31m\x7f\x9f\u202e reversed \u2066 isolate \ufeff\ufff9",
    "emoji": "🙂 🇩🇪 👍🏽 \U0001f468\u200d\U0001f469\u200d\U0001f467 ☺\ufe0f",
    "chinese": "中文发票",
    "scripts": "עברית שָׁלוֹם العربية می\u200cخواهم हिन्दी क्षत्रिय ภาษาไทย Ελληνικά Кириллица",
    "decomposed": "e\u0301 x\u030c\u0323 \u0623\u0647\u0644\u0627",
    "lone surrogate": "\ud83d \udc00",
    "private use": "\ue000\uf8ff\U0010ffff\ufdd0\u0378",
    "marks out of place": "a\u05c1 \u0e31 \u0962\u0915\u064e \u0301",
    "stacked marks": "a" + "\u0301\u0323" * 500,
    "empty": "",
    "blank": " \n ",
    "one long word": "x" * 10_000,
    "long thai": "ก" * 3_000,
    "long text": "ten letters " * 900,
}


@pytest.fixture(scope="session", autouse=True)
def prepared_fonts() -> None:
    prepare_fonts(FONT_DIR)


render = partial(render_invoice, font_dir=FONT_DIR)


def opened(document: InvoiceDocument) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(render(document)))


def printed(document: InvoiceDocument) -> list[str]:
    """The text of each page without its spaces, as the fonts' ToUnicode maps give it."""
    with opened(document) as pdf:
        return ["".join(re.sub(r"\s|\u200b", "", text) for text in _shown(page)) for page in pdf.pages]


def _shown(page: pikepdf.Page) -> Iterator[str]:
    letters: dict[int, str] = {}
    for instruction in pikepdf.parse_content_stream(page):
        operands, operator = instruction.operands, str(instruction.operator)
        if operator == "Tf":
            letters = _to_unicode(page.resources.Font[str(operands[0])].ToUnicode.read_bytes().decode())
        elif operator in {"Tj", "TJ"}:
            pieces = operands[0] if operator == "TJ" else operands
            codes = b"".join(bytes(piece) for piece in pieces if isinstance(piece, pikepdf.String))
            for index in range(0, len(codes), 2):
                yield letters.get(int.from_bytes(codes[index : index + 2]), "")


def _to_unicode(cmap: str) -> dict[int, str]:
    pairs = re.findall(r"<([0-9A-Fa-f]{4})>\s*<((?:[0-9A-Fa-f]{4})+)>\s*\n", cmap)
    return {int(code, 16): bytes.fromhex(text).decode("utf-16-be", "replace") for code, text in pairs}


def tags(pdf: pikepdf.Pdf) -> list[str]:
    def below(node: pikepdf.Object) -> Iterator[str]:
        if isinstance(node, pikepdf.Array):
            for child in node:
                yield from below(child)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                yield str(node.S)
            if "/K" in node:
                yield from below(node.K)

    return list(below(pdf.Root.StructTreeRoot.K))


@pytest.mark.parametrize(
    ("locale", "language"), [("de", "de"), ("pt-BR", "pt-BR"), ("en_us", "en-US"), ("zh-hans", "zh")]
)
def test_it_is_archival_tagged_and_in_its_language(locale: str, language: str) -> None:
    with opened(replace(DOCUMENT, locale=locale)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == language
        with pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "3"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == "Invoice INV-2026-0001"
            assert metadata["xmp:CreateDate"].startswith("2026-10-08T00:00:00")


def test_a_screen_reader_finds_heading_table_and_link() -> None:
    with opened(DOCUMENT) as pdf:
        found = tags(pdf)
    assert {"/H1", "/Table", "/THead", "/TH", "/TD", "/Link"} <= set(found)
    assert found.count("/TH") == 5


def test_everything_is_printed() -> None:
    lines = (replace(LINE, note="Rush"),)
    (page,) = printed(replace(DOCUMENT, notes="Thank you", footer="Court of Hamburg", lines=lines))
    for text in (
        "INV-2026-0001", "NorthwindStudio", "20457Hamburg", "VATIDDE123456789", "hello@northwind.test", "Billedto",
        "IonianYachts", "7November2026", "Unitprice", "Illustrationset", "Rush", "€1,840.00", "Amountdue",
        "€2,189.60", "Payonline", "https://pay.northwind.test/i/5f0c/", "Thankyou", "CourtofHamburg",
    ):  # fmt: skip
        assert text in page, text


def test_the_same_document_is_the_same_bytes() -> None:
    assert render(DOCUMENT) == render(DOCUMENT)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_is_never_markup_and_never_stops_an_invoice(text: str) -> None:
    hostile = replace(
        DOCUMENT,
        title=text,
        notes=text,
        footer=text,
        number=text,
        pay_label=text,
        seller=Party(text, (text,), text, text),
        buyer=Party(text, (text,)),
        facts=((text, text),),
        columns=(text,) * 5,
        lines=(DocumentLine(text, text[:200], text[:200], text[:200], text[:200], text), LINE),
        totals=(Amount(text[:200], text[:200]), Amount("Due", "€1.00", strong=True)),
        labels=dict.fromkeys(("billed_to", "tax_id", "page_of"), text[:200]),
    )
    assert any("Illustrationset" in page for page in printed(hostile))


def test_code_in_a_text_is_printed_as_it_stands() -> None:
    (page,) = printed(replace(DOCUMENT, notes=HOSTILE["code"] + HOSTILE["markup"]))
    assert re.sub(r"\s", "", HOSTILE["code"]) in page
    assert "$x$\\\"]})*_@<label>//comment/**/`raw`=heading~--'" in page


@given(st.text(max_size=200))
@hypothesis_settings(max_examples=60, deadline=None)
def test_any_text_can_be_set(text: str) -> None:
    assert render(replace(DOCUMENT, notes=text, lines=(replace(LINE, description=text),)))


@pytest.mark.parametrize(
    ("text", "legible"),
    [
        ("e\u0301", "é"),
        ("中\x00a", SIGN + "a"),
        ("a\u202eb\u202c", "ab"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467!", SIGN + "!"),
        ("👍🏽 ok", SIGN + " ok"),
        ("\ue000", SIGN),
        ("Ａ１", "A1"),
        ("a\r\nb\n\n\n\nc\n", "a\nb\n\nc"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u200f1,840.00\u00a0€", "\u200f1,840.00\u00a0€"),
        ("क\u064e", "क"),
        ("ก\u05c1", "ก"),
    ],
)
def test_what_no_font_has_is_replaced_and_controls_vanish(text: str, legible: str) -> None:
    legibility = Legibility(load_typefaces(FONT_DIR).coverage)
    assert legibility.legible(text) == legible.replace(SIGN, legibility.replacement)


def test_a_refused_cluster_costs_only_its_own_text_the_marks() -> None:
    # Every font has the mark, none can set it on this base; the other line keeps its vowel signs.
    descriptions = "\u0962\ua8eb\u08ff\u0e4e\u05b4", "हिन्दी"
    document = replace(DOCUMENT, lines=tuple(replace(LINE, description=text) for text in descriptions))
    (page,) = printed(document)
    assert "ह" in page
    assert "ि" in page


@pytest.mark.parametrize("locale", ["ar", "he", "ar-EG", "fa"])
def test_right_to_left_documents_are_mirrored(locale: str) -> None:
    def first_fill(document: InvoiceDocument) -> float:
        """Where the seller's coloured mark, the first thing drawn, begins (points from the left)."""
        with opened(document) as pdf:
            steps = pikepdf.parse_content_stream(pdf.pages[0])
            return next(float(step.operands[4]) for step in steps if str(step.operator) == "cm" and step.operands[4])

    assert first_fill(DOCUMENT) < 100
    assert first_fill(replace(DOCUMENT, locale=locale, title="فاتورة")) > 450


@pytest.mark.parametrize("count", [200, *range(14, 22)])
def test_totals_stay_together_with_the_last_line(count: int) -> None:
    lines = tuple(replace(LINE, description=f"Line-{number:03}.") for number in range(count))
    pages = printed(replace(DOCUMENT, lines=lines))
    (totals,) = [page for page in pages if "Subtotal" in page]
    assert f"Line-{count - 1:03}." in totals
    assert "Amountdue" in totals
    assert all(f"Line-{number:03}." in "".join(pages) for number in range(count))


def test_every_page_repeats_the_headings_and_counts() -> None:
    pages = printed(replace(DOCUMENT, lines=(LINE,) * 200))
    assert 5 <= len(pages) <= 12
    for index, page in enumerate(pages, start=1):
        assert f"Page{index}of{len(pages)}" in page
        assert "Unitprice" in page


def test_a_line_longer_than_a_page_continues_on_the_next() -> None:
    pages = printed(replace(DOCUMENT, lines=(replace(LINE, description="word " * 3_000 + "end-of-description"),)))
    assert "".join(pages).count("word") == 3_000
    assert "end-of-description" in pages[-1]


def test_more_totals_than_a_page_holds_continue_on_the_next() -> None:
    pages = printed(replace(DOCUMENT, totals=tuple(Amount(f"Tax-{number:03}.", "€1.00") for number in range(90))))
    assert all(f"Tax-{number:03}." in "".join(pages) for number in range(90))
    assert len(pages) > 1


def test_a_document_without_anything_is_still_a_document() -> None:
    nobody = Party("")
    blank = replace(DOCUMENT, title="", number="", seller=nobody, buyer=nobody, facts=(), columns=("",) * 5)
    blank = replace(blank, lines=(), totals=(), pay_url="", labels={})
    assert len(printed(blank)) == 1


@pytest.mark.parametrize("accent", ["red", "#12345", "#1234567", '#12345"', "", "#12345g", "#２２２"])
def test_an_accent_is_a_colour(accent: str) -> None:
    with pytest.raises(TypesettingError, match="colour"):
        render(replace(DOCUMENT, accent=accent))


@pytest.mark.parametrize(
    ("accent", "printed_as"),
    [("#2f5fe0", "#2f5fe0"), ("#000", "#000000"), ("#ffffff", "#747474"), ("#ffc400", "#916e00")],
)
def test_a_pale_accent_is_darkened_until_it_can_be_read(accent: str, printed_as: str) -> None:
    assert legible_accent(accent) == printed_as


@pytest.mark.parametrize("locale", ["", "english", "e", "de-", "de DE", "../de", "dé"])
def test_a_locale_is_a_language_tag(locale: str) -> None:
    with pytest.raises(TypesettingError, match="language tag"):
        render(replace(DOCUMENT, locale=locale))


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/i/1/", "https://", "https://a b/", "https://ü.test/", "x" * 3000]
)
def test_a_pay_url_is_a_web_address(url: str) -> None:
    with pytest.raises(TypesettingError, match="web address"):
        render(replace(DOCUMENT, pay_url=url))


def test_threads_set_their_own_documents() -> None:
    documents = [replace(DOCUMENT, number=f"INV-{index}") for index in range(24)]
    expected = [render(document) for document in documents]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(render, documents)) == expected


def _without_manifest(directory: Path) -> None:
    (directory / MANIFEST).unlink()


def _with_broken_manifest(directory: Path) -> None:
    (directory / MANIFEST).write_text('{"recipe": ')


def _without_a_font(directory: Path) -> None:
    (directory / "Inter-600.ttf").unlink()


@pytest.mark.parametrize("damage", [_without_manifest, _with_broken_manifest, _without_a_font])
def test_a_damaged_font_directory_is_noticed(damage: Callable[[Path], None], tmp_path: Path) -> None:
    directory = shutil.copytree(FONT_DIR, tmp_path / "fonts")
    damage(directory)
    with pytest.raises(FontsUnavailable):
        load_typefaces(directory)


def test_a_prepared_directory_is_left_untouched() -> None:
    before = {path: path.stat().st_mtime_ns for path in FONT_DIR.iterdir()}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(prepare_fonts, [FONT_DIR, FONT_DIR]))
    assert before == {path: path.stat().st_mtime_ns for path in FONT_DIR.iterdir()}


def test_a_font_directory_that_cannot_be_made_is_an_error_of_typesetting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TypesettingError):
        render_invoice(DOCUMENT, font_dir=tmp_path / "file" / "fonts")

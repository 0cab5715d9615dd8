"""An invoice as PDF: one column of text in the fonts that every reader has.

Source: ISO 32000-1, sections 7.5 (file structure) and 9.6.2.2 (standard fonts).
"""

from __future__ import annotations

from collections.abc import Sequence

_WIDTH, _HEIGHT = 595, 842
_LEFT, _TOP, _LEADING = 56, 780, 18
_ROWS = 40
_LONGEST = 88
"""Characters that fit into a row of 9-point Courier beside its margins."""

_FONTS = (b"Helvetica-Bold", b"Courier")


def written_as_pdf(title: str, rows: Sequence[str]) -> bytes:
    """Return a document of A4 pages with a title and rows of text.

    Rows are cut to the page's width; characters that Windows-1252 lacks become question marks.
    """
    pages = [rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)] or [()]
    kids = b" ".join(b"%d 0 R" % (5 + 2 * number) for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        *(b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % font for font in _FONTS),
    ]
    for number, page in enumerate(pages):
        content = _content(title, page)
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >>"
            b" /Contents %d 0 R >>" % (_WIDTH, _HEIGHT, 6 + 2 * number),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        ]
    return _file(objects)


def _content(title: str, rows: Sequence[str]) -> bytes:
    shown = b"\n".join(b"(%s) Tj T*" % _text(row[:_LONGEST]) for row in rows)
    return b"BT /F1 18 Tf %d %d Td (%s) Tj ET\nBT /F2 9 Tf %d TL %d %d Td\n%s\nET" % (
        _LEFT, _TOP, _text(title[:40]), _LEADING, _LEFT, _TOP - 2 * _LEADING, shown,
    )  # fmt: skip


def _text(text: str) -> bytes:
    plain = "".join(" " if character < " " else character for character in text.replace("\N{MINUS SIGN}", "-"))
    encoded = plain.encode("cp1252", "replace")
    return encoded.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: Sequence[bytes]) -> bytes:
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + head + table + trailer

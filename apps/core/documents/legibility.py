"""Text made fit for a PDF/A: every character has a glyph, none controls the page."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Direction = Literal["ltr", "rtl"]

_JOINERS = frozenset("\u200c\u200d")
# Format characters that spell words or order bidirectional text; each lasts at most to the end of its paragraph.
# Embeddings and overrides (U+202A to U+202E) are not among them: they can make an amount read as another.
_FORMAT_KEPT = _JOINERS | frozenset("\u00ad\u061c\u200b\u200e\u200f\u2060\u2066\u2067\u2068\u2069")
_LINE_ENDS = str.maketrans(dict.fromkeys("\r\v\f\x85\u2028\u2029", "\n") | {"\t": " "})
# Orthographies need up to five on one letter; more only paint over the lines above and below.
_MOST_MARKS = 6


def first_strong(text: str) -> Direction | None:
    """The direction of the first strongly directional character (Unicode UAX #9, rule P2), or None."""
    for character in text:
        match unicodedata.bidirectional(character):
            case "L":
                return "ltr"
            case "R" | "AL":
                return "rtl"
    return None


@dataclass(frozen=True)
class Legibility:
    """What a set of fonts can display; `coverage` holds the code points of each font, in fallback order."""

    coverage: tuple[frozenset[int], ...]

    @cached_property
    def replacement(self) -> str:
        """The visible sign for what cannot be displayed."""
        return next((sign for sign in "\ufffd□" if self._fits(sign)), "?")

    def legible(self, text: str, *, plain: bool = False) -> str:
        """`text` in NFC with only displayable characters; newlines stay, other controls go.

        A character that no font has becomes its compatibility form (NFKC) where that can be displayed, else a
        replacement sign. Emoji sequences become one sign. `plain` also drops combining marks and format
        characters, for the case that a font has the parts of a cluster and still cannot shape it.
        """
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").translate(_LINE_ENDS))
        if text.isascii() and text.isprintable():
            return text
        parts: list[str] = []
        sign_continues = False
        for cluster in _clusters(text):
            shown = self._shown(cluster, plain=plain)
            is_sign = shown == self.replacement
            after_sign = bool(parts) and parts[-1] == self.replacement
            if not (after_sign and (_is_skin_tone(cluster[0]) or (is_sign and sign_continues))):
                parts.append(shown)
            sign_continues = is_sign and cluster.endswith("\u200d")
        return _tidy_lines("".join(parts))

    def _shown(self, cluster: str, *, plain: bool) -> str:
        base, marks = cluster[0], cluster[1:]
        category = unicodedata.category(base)
        if base == "\n":
            return base
        if category == "Cc" or _is_variation_selector(base):
            return ""
        if category == "Cf":
            return base if base in _FORMAT_KEPT and self._fits(base) and not plain else ""
        if category in {"Cs", "Co", "Cn"}:
            return self.replacement
        if not self._fits(base):
            compatible = unicodedata.normalize("NFKC", base)
            return compatible if self._fits(compatible) else self.replacement
        if plain:
            return "" if category.startswith("M") else base
        return base + self._marks_beside(base, marks)

    def _marks_beside(self, base: str, marks: str) -> str:
        """The marks that one font has together with the base: a cluster is shaped by a single font."""
        if not marks:
            return ""
        candidates = [mark for mark in marks if not _is_variation_selector(mark)][:_MOST_MARKS]
        fonts = [font for font in self.coverage if ord(base) in font]
        fitting = ["".join(mark for mark in candidates if ord(mark) in font or mark in _JOINERS) for font in fonts]
        return max(fitting, key=len)

    def _fits(self, text: str) -> bool:
        return any(all(ord(character) in font for character in text) for font in self.coverage)


def _clusters(text: str) -> Iterator[str]:
    """Each base character with the marks and joiners that follow it; an emoji's joined partner stands alone."""
    start = 0
    for index in range(1, len(text)):
        follows = unicodedata.category(text[index]) in {"Mn", "Mc", "Me"} or text[index] in _JOINERS
        if follows and text[start] != "\n":
            continue
        yield text[start:index]
        start = index
    if text:
        yield text[start:]


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_skin_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _tidy_lines(text: str) -> str:
    """Lines without trailing blanks, at most one empty line in a row, none at the ends."""
    kept: list[str] = []
    for line in (line.rstrip(" ") for line in text.split("\n")):
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip("\n")

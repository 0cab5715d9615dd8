"""Text made fit for a PDF/A: every character has a glyph, none controls the page."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Direction = Literal["ltr", "rtl"]

ZWJ = "\u200d"
# Format characters that spell words or order bidirectional text; each lasts at most to the end of its paragraph.
# Embeddings and overrides (U+202A to U+202E) are not among them: they can make an amount read as another.
_FORMAT_KEPT = frozenset("\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d")
_LINE_ENDS = str.maketrans({"\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n", "\t": " "})
_MOST_BLANK_LINES = 1


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_emoji_modifier(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


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
        return next((sign for sign in "\ufffd□?" if self._has(sign)), "?")

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
        for cluster in _clusters(text):
            shown = self._shown(cluster, plain=plain)
            joined_to_sign = parts and parts[-1] == self.replacement and (cluster[0] == ZWJ or _is_emoji_modifier(cluster[0]))
            if joined_to_sign:
                continue
            parts.append(shown)
        return _without_blank_stretches("".join(parts))

    def _shown(self, cluster: str, *, plain: bool) -> str:
        base, marks = cluster[0], cluster[1:]
        if base == "\n":
            return base
        category = unicodedata.category(base)
        if category == "Cc" or _is_variation_selector(base):
            return ""
        if category == "Cf":
            return "" if plain or base not in _FORMAT_KEPT or not self._has(base) else base
        if category in {"Cs", "Co", "Cn"}:
            return self.replacement
        if category == "Zs" and not self._has(base):
            return " "
        if not self._has(base):
            compatible = unicodedata.normalize("NFKC", base)
            return compatible if compatible.isprintable() and all(map(self._has, compatible)) else self.replacement
        if plain:
            return "" if category.startswith("M") else base
        return base + self._marks_beside(base, marks)

    def _marks_beside(self, base: str, marks: str) -> str:
        """The marks that one font has together with the base: a cluster is shaped by a single font."""
        marks = "".join(mark for mark in marks if not _is_variation_selector(mark))
        fonts = [font for font in self.coverage if ord(base) in font]
        fitting = ["".join(mark for mark in marks if ord(mark) in font or mark in _JOINERS) for font in fonts]
        return max(fitting, key=len, default="")

    def _has(self, character: str) -> bool:
        return any(ord(character) in font for font in self.coverage)


def _clusters(text: str) -> Iterator[str]:
    """Each base character with the marks and joiners that follow it; an emoji's joined partner stands alone."""
    start = 0
    for index in range(1, len(text)):
        character = text[index]
        if unicodedata.category(character) in {"Mn", "Mc", "Me"} and text[start] not in "\n ":
            continue
        yield text[start:index]
        start = index
    if text:
        yield text[start:]


def _without_blank_stretches(text: str) -> str:
    lines: Sequence[str] = [line.rstrip() for line in text.split("\n")]
    kept: list[str] = []
    blank = 0
    for line in lines:
        blank = 0 if line else blank + 1
        if blank <= _MOST_BLANK_LINES:
            kept.append(line)
    return "\n".join(kept).strip("\n")

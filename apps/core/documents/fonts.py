"""The fonts that documents are set with: static files made once from the packages' variable fonts.

typst takes static fonts only, and refuses a PDF/A in which a glyph is missing; so the characters that the fonts
cover are known here, and text is brought within them before it is set.
"""

import os
import tempfile
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

WEIGHTS = (400, 600)
REPLACEMENT = "□"
# Joiners steer shaping in Arabic and Devanagari; every other format character is dropped, so that no text can
# reorder what stands around it.
_JOINERS = frozenset("\u200c\u200d")


@dataclass(frozen=True, slots=True)
class Family:
    """A font package, its variable file and the family name that typst sees. The order is that of fallback."""

    package: str
    file: str
    name: str
    axes: tuple[tuple[str, float], ...] = ()


FAMILIES = (
    Family("fontpkg_inter", "Inter[opsz,wght].ttf", "Inter", (("opsz", 14),)),
    Family("fontpkg_noto_sans_arabic", "NotoSansArabic[wdth,wght].ttf", "Noto Sans Arabic", (("wdth", 100),)),
    Family("fontpkg_rubik", "Rubik[wght].ttf", "Rubik"),  # for Hebrew
    Family("fontpkg_noto_sans_devanagari", "NotoSansDevanagari[wdth,wght].ttf", "Noto Sans Devanagari", (("wdth", 100),)),
    Family("fontpkg_noto_sans_thai", "NotoSansThai[wdth,wght].ttf", "Noto Sans Thai", (("wdth", 100),)),
)


def prepare_fonts(target: Path) -> None:
    """Write the static instances that are missing. Each appears whole or not at all, also when two run at once."""
    target.mkdir(parents=True, exist_ok=True)
    for family in FAMILIES:
        for weight in WEIGHTS:
            path = target / _file_name(family, weight)
            if not path.exists():
                _write(family, weight, path)


def are_prepared(target: Path) -> bool:
    """Whether every instance is there."""
    return all((target / _file_name(family, weight)).exists() for family in FAMILIES for weight in WEIGHTS)


def settable(text: str, font_dir: Path) -> str:
    """`text` within what the fonts can show: NFC, without control characters, unknown glyphs as an empty box."""
    covered = _covered(font_dir)
    shown = []
    for character in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        if character == "\n":
            shown.append(character)
        elif character == "\t":
            shown.append(" ")
        elif unicodedata.category(character) in ("Cc", "Cs") or (
            unicodedata.category(character) == "Cf" and character not in _JOINERS
        ):
            continue
        elif ord(character) in covered and unicodedata.category(character) != "Co":  # PDF/A has no private use
            shown.append(character)
        elif unicodedata.category(character) not in ("Cf", "Mn", "Me"):
            shown.append(REPLACEMENT)
    return "".join(shown)


@cache
def _covered(font_dir: Path) -> frozenset[int]:
    codes: set[int] = set()
    for family in FAMILIES:
        # Both weights: a letter that only one of them has would still stop a document.
        codes |= set.intersection(
            *(set(TTFont(font_dir / _file_name(family, weight), lazy=True).getBestCmap()) for weight in WEIGHTS)
        )
    return frozenset(codes)


def _file_name(family: Family, weight: int) -> str:
    return f"{family.name.replace(' ', '')}-{weight}.ttf"


def _write(family: Family, weight: int, path: Path) -> None:
    source = resources.files(family.package) / "files" / family.file
    with resources.as_file(source) as variable:
        font = TTFont(variable)
        static = instantiateVariableFont(font, {**dict(family.axes), "wght": weight}, updateFontNames=False)
    for record in static["name"].names:
        if record.nameID in (1, 16):
            record.string = family.name
        elif record.nameID in (2, 17):
            record.string = "Regular" if weight == WEIGHTS[0] else "SemiBold"
    static["OS/2"].usWeightClass = weight
    descriptor, aside = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(descriptor, "wb") as file:
        static.save(file)
    Path(aside).chmod(0o644)
    Path(aside).replace(path)

"""A brand's accent colour made legible wherever it stands (WCAG 2.2: text 4.5:1, controls 3:1)."""

import re
from dataclasses import dataclass

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
TEXT_CONTRAST, CONTROL_CONTRAST = 4.5, 3.0
# More than text needs, because it also stands on a tint of itself.
TINTED_CONTRAST, TINTED_CONTRAST_DARK = 5.5, 7.0
WHITE, BLACK = "#ffffff", "#000000"
# What cards of dark pages are painted with (``tokens.css``, --surface).
DARK_SURFACE = "#161922"

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """An accent as pages need it, each ``#rrggbb``: as text, and as a fill with the text on it, light and dark."""

    text: str
    fill: str
    on_fill: str
    text_dark: str
    fill_dark: str
    on_fill_dark: str


def normalised(accent: str) -> str:
    """`accent` as ``#rrggbb``, lower case.

    Raises:
        ValueError: not ``#rgb`` or ``#rrggbb``.
    """
    if not _HEX.fullmatch(accent):
        raise ValueError(f"Not a colour of the form #rrggbb: {accent[:40]!r}")
    digits = accent[1:] if len(accent) == 7 else "".join(digit * 2 for digit in accent[1:])
    return f"#{digits.lower()}"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def foreground(fill: str) -> str:
    """White or black, whichever reads better on `fill`; one of them always reaches 4.5:1. White where both do."""
    return WHITE if contrast(fill, WHITE) >= TEXT_CONTRAST else BLACK


def legible_accent(accent: str) -> str:
    """`accent` as ``#rrggbb``, darkened in its own hue until it can carry text on white and white text on itself.

    Raises:
        ValueError: not ``#rgb`` or ``#rrggbb``.
    """
    return _moved(normalised(accent), WHITE, TEXT_CONTRAST)


def palette(accent: str) -> Palette:
    """Everything that pages derive from `accent`; the brand's own colour is the fill of light pages.

    Raises:
        ValueError: not ``#rgb`` or ``#rrggbb``.
    """
    fill = normalised(accent)
    fill_dark = _moved(fill, DARK_SURFACE, CONTROL_CONTRAST)
    return Palette(
        text=_moved(fill, WHITE, TINTED_CONTRAST),
        fill=fill,
        on_fill=foreground(fill),
        text_dark=_moved(fill, DARK_SURFACE, TINTED_CONTRAST_DARK),
        fill_dark=fill_dark,
        on_fill_dark=foreground(fill_dark),
    )


def _moved(colour: str, ground: str, needed: float) -> str:
    """`colour` moved away from `ground`, darker on a light one and lighter on a dark one, until it stands out."""
    rgb = _rgb(colour)
    is_light = _luminance(_rgb(ground)) > 0.5
    while contrast(_hex(rgb), ground) < needed:
        rgb = _darker(rgb) if is_light else _lighter(rgb)
    return _hex(rgb)


def _darker(rgb: Rgb) -> Rgb:
    red, green, blue = (channel * 24 // 25 for channel in rgb)
    return red, green, blue


def _lighter(rgb: Rgb) -> Rgb:
    red, green, blue = (min(255, channel + max(1, (255 - channel) // 25)) for channel in rgb)
    return red, green, blue


def _rgb(colour: str) -> Rgb:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue


def _hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in rgb)


def _luminance(rgb: Rgb) -> float:
    """Relative luminance of an sRGB colour, 0 for black to 1 for white (WCAG 2.2)."""
    scaled = (channel / 255 for channel in rgb)
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in scaled]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

"""A brand's accent colour made legible on white paper (WCAG 2.2, contrast minimum 4.5:1)."""

import re

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_CONTRAST_NEEDED = 4.5


def legible_accent(accent: str) -> str:
    """`accent` as ``#rrggbb``, darkened in its own hue until it can carry text on white and white text on itself.

    Raises:
        ValueError: not ``#rgb`` or ``#rrggbb``.
    """
    if not _HEX.fullmatch(accent):
        raise ValueError(f"Not a colour of the form #rrggbb: {accent[:40]!r}")
    digits = accent[1:] if len(accent) == 7 else "".join(digit * 2 for digit in accent[1:])
    rgb = tuple(int(digits[start : start + 2], 16) for start in (0, 2, 4))
    while 1.05 / (_luminance(rgb) + 0.05) < _CONTRAST_NEEDED:
        rgb = tuple(channel * 24 // 25 for channel in rgb)
    return "#" + "".join(f"{channel:02x}" for channel in rgb)


def _luminance(rgb: tuple[int, ...]) -> float:
    """Relative luminance of an sRGB colour, 0 for black to 1 for white (WCAG 2.2)."""
    scaled = (channel / 255 for channel in rgb)
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in scaled]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

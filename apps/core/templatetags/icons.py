"""Icons in pages: each look is drawn once a process, because drawing takes a tenth of a page's time."""

from functools import lru_cache

from django import template
from lucide.templatetags.lucide import lucide as draw

register = template.Library()


@register.simple_tag
def lucide(name: str, *, size: int | None = 24, **attributes: str | int) -> str:
    """The icon as inline SVG, `size` CSS pixels wide and high.

    Raises:
        IconDoesNotExist: Lucide has no icon of that name.
    """
    return _drawn(name, size, tuple(attributes.items()))


@lru_cache(maxsize=1024)
def _drawn(name: str, size: int | None, attributes: tuple[tuple[str, str | int], ...]) -> str:
    drawn: str = draw(name, size=size, **dict(attributes))
    return drawn

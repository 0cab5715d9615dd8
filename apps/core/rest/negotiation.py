"""Which form an answer takes, as the weights of ``Accept`` ask for it (RFC 9110, 12.5.1)."""

from collections.abc import Iterable
from typing import Any, cast

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import _MediaType


class WeighedNegotiation(DefaultContentNegotiation):
    """The form with the highest weight; of equals the one that is named most exactly, then the view's first."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer, and the media type that it was chosen by.

        Raises:
            NotAcceptable: every form of the view is unnamed or weighs nothing.
        """
        ranges: list[Any] = cast(Any, self)._get_parsed_accept_list(request)  # no more and no longer ones than are sane
        found: list[tuple[float, int, int, Any]] = []
        offered = list(renderers)
        for place, renderer in enumerate(offered):
            form = _MediaType(renderer.media_type)
            # The most exact range decides about a form, also when it refuses what a wider one takes.
            exact = max((one for one in ranges if form.match(one)), key=lambda one: one.precedence, default=None)
            if exact is not None and (weight := _weight(exact)) > 0:
                found.append((weight, exact.precedence, -place, exact))
        if not found:
            raise NotAcceptable(available_renderers=offered)
        *_, place, chosen = max(found, key=lambda one: one[:3])
        renderer = offered[-place]
        named = {name: value for name, value in chosen.params.items() if name != "q"}
        parameters = [f"{name}={value}" for name, value in named.items()]
        return renderer, "; ".join([str(renderer.media_type), *parameters])


def _weight(media_range: Any) -> float:
    try:
        weight = float(media_range.params.get("q", "1"))
    except ValueError:
        return 1.0
    return weight if 0 <= weight <= 1 else 1.0

"""Bodies as I-JSON (RFC 7493): what cannot be stored or answered is refused before anybody looks at it."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class InteroperableJsonParser(JSONParser):
    """JSON whose strings are real text, with at most ``JSON_MAX_DEPTH`` levels and ``JSON_MAX_VALUES`` values."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body's value.

        Raises:
            rest_framework.exceptions.ParseError: it is not JSON, or not of the kind that everybody can read.
        """
        try:
            body = super().parse(stream, media_type, parser_context)
            json.dumps(body, ensure_ascii=False).encode()
            _measure(body)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        except UnicodeEncodeError as error:
            raise ParseError("The body holds half of a surrogate pair, which is no character.") from error
        return body


def _measure(body: Any) -> None:
    """Walk level by level, so that deep nesting costs no stack."""
    level, counted = [body], 0
    for _depth in range(settings.JSON_MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        counted += len(below)
        if counted > settings.JSON_MAX_VALUES:
            raise ParseError(f"The body holds more than {settings.JSON_MAX_VALUES} values.")
        if not below:
            return
        level = below
    if any(isinstance(value, dict | list) for value in level):
        raise ParseError(f"The body is nested more than {settings.JSON_MAX_DEPTH} levels deep.")

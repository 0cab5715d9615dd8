"""Bodies as I-JSON (RFC 7493): what cannot be stored or answered is refused before anybody looks at it."""

import json
from collections import Counter
from collections.abc import Mapping
from math import isinf
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser, JSONParser

# Of a name, in the refusal that tells of it.
_SHOWN = 100
# Digits of the largest number that an IEEE 754 double holds.
_MOST_DIGITS = 309


class NotInteroperable(ValueError):
    """The text is not JSON, or programs may disagree about what it means; the message is for people."""


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
            return read(stream.read())
        except NotInteroperable as error:
            raise ParseError(str(error)) from error


class PlainFormParser(FormParser):
    """A form in which each name stands once, as OAuth asks for (RFC 6749, 3.2)."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The form's values.

        Raises:
            rest_framework.exceptions.ParseError: a name stands more than once.
            django.core.exceptions.TooManyFieldsSent: there are more than ``DATA_UPLOAD_MAX_NUMBER_FIELDS``.
        """
        form = super().parse(stream, media_type, parser_context)
        for name, values in form.lists():
            if len(values) > 1:
                raise ParseError(f"The name {json.dumps(name)[:_SHOWN]} stands more than once in the form.")
        return form


def read(text: bytes) -> Any:
    """The value that `text` means to every reader.

    Each name stands once in its object (RFC 7493, 2.3: readers differ in which of two they believe), numbers are
    within a double's range (2.2), strings are Unicode without lone surrogates (2.1).

    Raises:
        NotInteroperable: it is not JSON, or breaks one of these rules.
    """
    try:
        body = json.loads(
            text.decode(),
            object_pairs_hook=_named_once,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
        json.dumps(body, ensure_ascii=False).encode()
        _measure(body)
    except RecursionError as error:
        raise NotInteroperable("The body is nested too deeply.") from error
    except UnicodeEncodeError as error:
        raise NotInteroperable("The body holds half of a surrogate pair, which is no character.") from error
    except UnicodeDecodeError as error:
        raise NotInteroperable(f"The body is not UTF-8: see byte {error.start}.") from error
    except json.JSONDecodeError as error:
        raise NotInteroperable(f"The body is not JSON: {error}.") from error
    return body


def _named_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(members)
    if len(named) != len(members):
        counted = Counter(name for name, _ in members)
        twice = next(name for name, times in counted.items() if times > 1)
        raise NotInteroperable(f"The name {json.dumps(twice)[:_SHOWN]} stands more than once in the same object.")
    return named


def _refuse_constant(name: str) -> NoReturn:
    raise NotInteroperable(f"{name} is no number of JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise NotInteroperable(f"The number {digits[:_SHOWN]} is larger than programs can hold.")
    return number


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > _MOST_DIGITS:
        raise NotInteroperable(f"A number has more than {_MOST_DIGITS} digits.")
    return int(digits)


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
            raise NotInteroperable(f"The body holds more than {settings.JSON_MAX_VALUES} values.")
        if not below:
            return
        level = below
    if any(isinstance(value, dict | list) for value in level):
        raise NotInteroperable(f"The body is nested more than {settings.JSON_MAX_DEPTH} levels deep.")

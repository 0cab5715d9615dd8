"""Bodies as I-JSON (RFC 7493): what cannot be stored or answered is refused before anybody looks at it."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class InteroperableJsonParser(JSONParser):
    """JSON whose strings are real text and whose nesting has an end."""

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
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        except UnicodeEncodeError as error:
            raise ParseError("The body holds half of a surrogate pair, which is no character.") from error
        return body

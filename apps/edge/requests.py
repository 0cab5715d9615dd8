"""Requests as the web process makes them of what a server hands over."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """Query and body are UTF-8, whatever ``charset`` says, and nothing of them is read while it is made.

    By another charset they could not be read or would say other words than were signed; Django would read the query for
    it before any middleware could answer. The header itself stays as it may have been signed.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        declared = meta.get("CONTENT_TYPE", "")
        try:
            self.content_type, self.content_params = parse_header_parameters(declared)
        except ValueError:  # a parameter is encoded as nobody knows
            self.content_type, self.content_params = declared.partition(";")[0].strip().lower(), {}
            meta["CONTENT_TYPE"] = self.content_type


def reading_utf8(handler: WSGIHandler) -> WSGIHandler:
    """`handler`, which makes such requests from now on."""
    handler.request_class = Utf8Request
    return handler

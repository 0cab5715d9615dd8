"""Requests as the web process makes them of what a server hands over."""

from typing import Any

from django.core.handlers.wsgi import LimitedStream, WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class WholeStream(LimitedStream):
    """A body of an announced length. That it ends before is an error (RFC 9112, 8), which Django tells as
    `UnreadablePostError`: what was cut off says something else than was sent, and belongs to no key.
    """

    _pos: int

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes.

        Raises:
            OSError: its sender has hung up before the end.
        """
        wanted = self._wanted(size)
        data: bytes = super().read(wanted)
        if len(data) < wanted:
            raise OSError("The body did not arrive whole.")
        return data

    def readline(self, size: int | None = -1, /) -> bytes:
        """A line, of which at most `size` bytes.

        Raises:
            OSError: its sender has hung up before the end.
        """
        wanted = self._wanted(size)
        data: bytes = super().readline(wanted)
        if len(data) < wanted and not data.endswith(b"\n"):
            raise OSError("The body did not arrive whole.")
        return data

    def _wanted(self, size: int | None) -> int:
        left: int = self.limit - self._pos
        return left if size is None or size < 0 else min(size, left)


class Utf8Request(WSGIRequest):
    """Query and body are UTF-8, whatever ``charset`` says, and nothing of them is read while it is made.

    By another charset they could not be read or would say other words than were signed; Django would read the query for
    it before any middleware could answer. The header itself stays as it may have been signed. A body arrives whole or
    not at all.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        self._stream: Any  # Django's own is a `LimitedStream`
        if self._stream.limit > 0:
            self._stream = WholeStream(environ["wsgi.input"], self._stream.limit)

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

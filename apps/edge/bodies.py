"""How much may be sent: told from the headers, before anybody reads the body."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.core.errors import BodyTooLarge, DomainError
from apps.edge.errors import LengthRequired, UnsupportedContentCoding


def refusal(environ: Mapping[str, Any], path: str) -> DomainError | None:
    """Why the body of this request is not read, None when it is.

    ``BODY_LIMITS`` names the few places that take more than ``DATA_UPLOAD_MAX_MEMORY_SIZE``; see `is_exceptional`.
    """
    length = environ.get("CONTENT_LENGTH")
    if not length:
        # Django takes a body without a length for an empty one, which is not what its sender means.
        return LengthRequired() if "HTTP_TRANSFER_ENCODING" in environ else None
    if not (length.isascii() and length.isdigit()):
        return BodyTooLarge()
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("identity", "") and int(length[:20]):
        return UnsupportedContentCoding()
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if len(length) < 20 and int(length) <= limit:
        return None
    limit = max([limit, *(size for prefix, size in settings.BODY_LIMITS.items() if path.startswith(prefix))])
    if len(length) < 20 and int(length) <= limit:
        return None
    return BodyTooLarge(f"At most {limit} bytes can be sent here.", limit=limit)


def is_exceptional(environ: Mapping[str, Any]) -> bool:
    """Whether the body is longer than usual, so that only operators may send it, to a place that takes it."""
    length = environ.get("CONTENT_LENGTH")
    return bool(length) and int(str(length)) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE

"""Entity tags and what callers make of them: ``ETag``, ``If-Match``, ``If-None-Match`` (RFC 9110, 8.8.3 and 13.1).

A tag is strong and has two parts, ``"<version>-<digest>"``. The digest covers every byte of the answer and decides
whether a reader has the present one. The version covers what people edit and decides whether a writer saw the present
one, so that a payment that came in meanwhile refuses nobody's change of an address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, Literal

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import ValidationFailed
from apps.core.rest.rendering import JsonRenderer
from apps.core.rest.views import ANY_MEMBER, ApiView
from apps.core.versions import Expected, VersionConflict

ANY: Literal["*"] = "*"
_TAG = re.compile(r'(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"')
# Empty elements of a list count for nothing (RFC 9110, 5.6.1.2).
_BEFORE = re.compile(r"[ \t,]*")
_SEPARATOR = re.compile(r"[ \t]*,[ \t,]*")


@dataclass(frozen=True, slots=True)
class EntityTag:
    """One tag of a header, without its quotes."""

    opaque: str
    is_weak: bool = False

    @property
    def version(self) -> str:
        """What it says of the version that its holder saw; nothing for a tag that is none of ours."""
        return self.opaque.rpartition("-")[0]

    def __str__(self) -> str:
        return f'{"W/" if self.is_weak else ""}"{self.opaque}"'


class _Versioned(Response):
    """An answer that gets the entity tag of `version`."""

    def __init__(self, data: Any, version: str, status: int) -> None:
        super().__init__(data, status=status)
        self.version = version


class VersionedView(ApiView):
    """One resource that people edit.

    Its ``get`` answers `versioned`; its writing methods hand `expected_versions` to their service.
    """

    def versioned(self, data: Any, version: str, status: int = HTTPStatus.OK) -> Response:
        """The answer `data`, which gets the entity tag of `version`."""
        return _Versioned(data, version, status)

    def expected_versions(self) -> Expected:
        """The versions that ``If-Match`` allows to change; None without the header, and for ``*``.

        Weak tags match nothing here (RFC 9110, 13.1.1). ``If-None-Match: *`` allows none (13.1.2).

        Raises:
            ValidationFailed: the header is malformed.
        """
        if read_tags(self.request.headers, "If-None-Match") == ANY:
            return frozenset()
        tags = read_tags(self.request.headers, "If-Match")
        if tags is None or tags == ANY:
            return None
        return frozenset(tag.version for tag in tags if not tag.is_weak)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Name the entity tag; 304 without a body for who has this answer."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if not isinstance(response, _Versioned) or response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            return response
        tag = _tag(response.version, response.render().content)
        response["ETag"] = str(tag)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if request.method in ("GET", "HEAD") and is_known(request, tag):
            return _not_modified(response)
        return response

    def handle_exception(self, exc: Exception) -> Response:
        """A conflict of versions names the present tag, to whoever may read it."""
        response = super().handle_exception(exc)
        if isinstance(exc, VersionConflict):
            tag = self._present_tag(exc)
            if tag is not None:
                response["ETag"] = response.data["etag"] = str(tag)
        return response

    def _present_tag(self, conflict: VersionConflict) -> EntityTag | None:
        read = getattr(self, "get", None)
        required = self.permissions.get("GET", ANY_MEMBER)
        if read is None or (required and not self.actor.may(required)):
            return None
        now: Response = read(self.request, *self.args, **self.kwargs)
        content = JsonRenderer().render(now.data, renderer_context=self.get_renderer_context())
        return _tag(conflict.present, content)


def read_tags(headers: Mapping[str, str], name: str) -> tuple[EntityTag, ...] | Literal["*"] | None:
    """The entity tags of a header: None without it, `ANY` for ``*``.

    Raises:
        ValidationFailed: it is neither.
    """
    text = headers.get(name)
    if text is None:
        return None
    text = text.strip(" \t")
    if text == ANY:
        return ANY
    tags: list[EntityTag] = []
    separator = _BEFORE.match(text)
    while separator is not None and (found := _TAG.match(text, separator.end())):
        tags.append(EntityTag(found["opaque"], found["weak"] is not None))
        separator = _SEPARATOR.match(text, found.end())
        if len(text) in (found.end(), separator and separator.end()):
            return tuple(tags)
    raise ValidationFailed.one(name, "malformed", f'{name} is "*" or entity tags in double quotes, such as "3-1f".')


def _tag(version: str, content: bytes) -> EntityTag:
    return EntityTag(f"{version}-{blake2b(content, digest_size=8).hexdigest()}")


def is_known(request: Request, tag: EntityTag) -> bool:
    """Whether ``If-None-Match`` names `tag`; a header that cannot be read names nothing."""
    try:
        known = read_tags(request.headers, "If-None-Match")
    except ValidationFailed:
        return False
    if known is None or known == ANY:
        return known == ANY
    # Weak comparison (RFC 9110, 13.1.2): a proxy that compresses makes our tags weak.
    return any(one.opaque == tag.opaque for one in known)


def _not_modified(response: Response) -> Response:
    response.status_code, response.content = HTTPStatus.NOT_MODIFIED, b""
    for header in ("Content-Type", "Content-Length"):
        response.headers.pop(header, None)
    return response

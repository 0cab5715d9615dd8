"""Views that answer with a file."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.renderers import BaseRenderer, JSONRenderer

from apps.core.rest.views import ApiView


class _FileRenderer(BaseRenderer):
    """For who accepts the file's type alone: the file needs no rendering, and a refusal is a problem document."""

    charset = None
    render_style = "binary"

    def __init__(self, media_type: str) -> None:
        self.media_type = media_type
        self.format = media_type.rpartition("/")[2]

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body."""
        return json.dumps(data, default=str).encode()


class DownloadView(ApiView):
    """A resource that is a file of `media_type`."""

    media_type: ClassVar[str]

    def get_renderers(self) -> list[Any]:
        """The file's type, and JSON for refusals."""
        return [_FileRenderer(self.media_type), JSONRenderer()]

"""The OpenAPI document at ``/api/schema/``: made once a process, for it takes seconds and is the same for everybody."""

from hashlib import blake2b
from http import HTTPStatus
from threading import Lock
from typing import Any, cast

from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from apps.core.rest.preconditions import EntityTag, is_known

_MAKERS = {"json": OpenApiJsonRenderer, "yaml": OpenApiYamlRenderer}
_made: dict[str, tuple[bytes, EntityTag]] = {}
_making = Lock()


class SchemaView(SpectacularAPIView):
    """As YAML or as JSON, with an entity tag; in English whoever asks."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The document, or 304 for who has it."""
        renderer: Any = request.accepted_renderer
        body, tag = self._document(renderer.format)
        # It changes with a release, which nobody foresees: kept anywhere, and asked about each time.
        headers = {"ETag": str(tag), "Cache-Control": "public, no-cache", "Content-Language": "en"}
        if is_known(request, tag):
            response = HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
            del response["Content-Type"]
            return response
        headers["Content-Disposition"] = f'inline; filename="insula-api.{renderer.format}"'
        kind = renderer.media_type + (f"; charset={renderer.charset}" if renderer.charset else "")
        return HttpResponse(body, content_type=kind, headers=headers)

    def _document(self, form: str) -> tuple[bytes, EntityTag]:
        # One at a time, so that many who ask first do not make it many times.
        with _making:
            if form not in _made:
                with translation.override("en"):
                    generator: Any = self.generator_class()
                    # Of no request: what one says, such as `version` in its query, is not for everybody.
                    shown = generator.get_schema(request=None, public=True)
                    body = cast(bytes, _MAKERS[form]().render(shown, renderer_context={}))
                _made[form] = body, EntityTag(blake2b(body, digest_size=8).hexdigest())
            return _made[form]

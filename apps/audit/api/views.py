"""The tenant's audit trail over REST."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.audit import selectors
from apps.core.rest.views import ApiView


class AuditList(ApiView):
    """The trail, newest first."""

    permissions: ClassVar = {"GET": "audit:read"}

    @extend_schema(
        operation_id="audit_list",
        summary="List audit entries",
        parameters=[
            OpenApiParameter(name, str) for name in ("action", "entity_type", "entity_id", "severity", "q", "cursor")
        ]
        + [OpenApiParameter("limit", int)],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        """A page of entries."""
        filters: dict[str, Any] = request.query_params.dict()
        page = selectors.list_entries(actor=self.actor, page=self.page_request(), filters=filters)
        return Response(page.body(selectors.present))


class AuditDetail(ApiView):
    """One entry."""

    permissions: ClassVar = {"GET": "audit:read"}

    @extend_schema(operation_id="audit_retrieve", summary="Read an audit entry", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, entry_id: UUID) -> Response:
        """The entry with its before and after."""
        return Response(selectors.present(selectors.get_entry(actor=self.actor, entry_id=entry_id)))

"""The tenant's audit trail over REST."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.audit import selectors
from apps.audit.api.serializers import AuditEntryAnswer
from apps.audit.services import Severity
from apps.core.rest.listing import Listing
from apps.core.rest.thin import ThinRead
from apps.core.rest.views import ApiView


class AuditList(ApiView):
    """The trail, newest first."""

    permissions: ClassVar = {"GET": "audit:read"}
    listing = Listing(
        AuditEntryAnswer,
        "A page of entries.",
        filters=[
            OpenApiParameter("action", str, description="For example invoices.invoice.finalize"),
            OpenApiParameter("entity_type", str, description="For example invoice"),
            OpenApiParameter("entity_id", str),
            OpenApiParameter("severity", str, enum=Severity.values),
            OpenApiParameter("q", str, description="Part of the action, the actor or the entity's label"),
        ],
    )

    thin = ThinRead(selectors.NEWEST, selectors.present_newest)

    @extend_schema(operation_id="audit_list", summary="List audit entries", responses=listing.page)
    def get(self, request: Request) -> Response:
        """A page of entries."""
        filters: dict[str, Any] = request.query_params.dict()
        page = selectors.list_entries(actor=self.actor, page=self.page_request(), filters=filters)
        return self.listed(page, selectors.present)


class AuditDetail(ApiView):
    """One entry."""

    permissions: ClassVar = {"GET": "audit:read"}

    @extend_schema(operation_id="audit_retrieve", summary="Read an audit entry", responses=AuditEntryAnswer)
    def get(self, request: Request, entry_id: UUID) -> Response:
        """The entry with its before and after."""
        return Response(selectors.present(selectors.get_entry(actor=self.actor, entry_id=entry_id)))

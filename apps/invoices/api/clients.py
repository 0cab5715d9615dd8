"""Clients over REST."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.thin import ThinRead
from apps.core.rest.views import ApiView
from apps.invoices import selectors, services
from apps.invoices.api import bodies, schemas
from apps.invoices.api.presenters import present_client, present_newest_clients


class ClientList(ApiView):
    """The tenant's clients."""

    permissions: ClassVar = {"GET": "clients:read", "POST": "clients:write"}
    listing = Listing(
        schemas.ClientAnswer, "A page of clients.", keys=selectors.CLIENT_KEYS, filters=schemas.CLIENT_FILTERS
    )

    thin = ThinRead(selectors.NEWEST_CLIENTS, present_newest_clients)

    @extend_schema(
        operation_id="clients_list",
        summary="List clients",
        tags=["clients"],
        responses=listing.page,
    )
    def get(self, request: Request) -> Response:
        """A page of clients with their balances, newest first unless asked otherwise."""
        page = selectors.list_clients(
            actor=self.actor,
            page=self.page_request(),
            q=request.query_params.get("q", ""),
            include_deleted=request.query_params.get("include_deleted", "").lower() in ("true", "1"),
        )
        return self.listed(page, present_client)

    @extend_schema(
        operation_id="clients_create",
        summary="Add a client",
        tags=["clients"],
        request=bodies.ClientBody,
        responses={201: schemas.ClientAnswer},
        examples=[schemas.CLIENT_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Add a client."""
        fields = bodies.client_changes(self.read_body(bodies.ClientBody))
        client = services.create_client(actor=self.actor, fields=fields)
        detail = selectors.get_client(actor=self.actor, client_id=client.id)
        return Response(present_client(detail), status=201, headers={"Location": f"/api/v1/clients/{client.id}"})


class ClientResource(VersionedView):
    """One client."""

    permissions: ClassVar = {"GET": "clients:read", "PATCH": "clients:write", "DELETE": "clients:write"}

    @extend_schema(
        operation_id="clients_retrieve",
        summary="Read a client",
        tags=["clients"],
        responses=schemas.ClientAnswer,
    )
    def get(self, request: Request, client_id: UUID) -> Response:
        """The client with its balances; deleted ones, too."""
        found = selectors.get_client(actor=self.actor, client_id=client_id)
        return self.versioned(present_client(found), found.client.version)

    @extend_schema(
        operation_id="clients_update",
        summary="Change a client",
        tags=["clients"],
        request=bodies.ClientChangesBody,
        responses=schemas.ClientAnswer,
    )
    def patch(self, request: Request, client_id: UUID) -> Response:
        """Change what the body names."""
        changes = bodies.client_changes(self.read_body(bodies.ClientChangesBody))
        services.update_client(
            actor=self.actor, client_id=client_id, changes=changes, expected=self.expected_versions()
        )
        return self.get(request, client_id)

    @extend_schema(
        operation_id="clients_delete",
        summary="Delete a client",
        tags=["clients"],
        responses={204: None},
    )
    def delete(self, request: Request, client_id: UUID) -> Response:
        """Take the client off the list; a second time there is nothing to delete."""
        services.delete_client(actor=self.actor, client_id=client_id, expected=self.expected_versions())
        return Response(status=204)

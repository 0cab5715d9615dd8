"""Invoices over REST: the list, the resource, and the actions that move it on."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.thin import ThinRead
from apps.core.rest.views import ApiView
from apps.core.versions import VersionConflict
from apps.invoices import selectors, services
from apps.invoices.api import bodies, relations, schemas
from apps.invoices.api.presenters import present_full_invoice, present_invoice, present_newest
from apps.invoices.errors import StaleEdit
from apps.invoices.selectors import INVOICE_KEYS, InvoiceFilters, InvoiceView
from apps.invoices.thin import NEWEST


class InvoiceList(ApiView):
    """The tenant's invoices."""

    permissions: ClassVar = {"GET": "invoices:read", "POST": "invoices:write"}
    listing = Listing(
        schemas.InvoiceListed,
        "A page of invoices.",
        keys=INVOICE_KEYS,
        filters=schemas.INVOICE_FILTERS,
        expansions=(relations.CLIENT, relations.PAYMENTS),
    )

    thin = ThinRead(NEWEST, present_newest)

    @extend_schema(
        operation_id="invoices_list",
        summary="List invoices",
        tags=["invoices"],
        responses=listing.page,
    )
    def get(self, request: Request) -> Response:
        """A page of invoices without their lines, newest first unless asked otherwise."""
        wanted, filters = self.page_request(), InvoiceFilters.from_query(request.query_params)
        page = selectors.list_invoices(actor=self.actor, page=wanted, filters=filters)
        return self.listed(page, present_invoice)

    @extend_schema(
        operation_id="invoices_create",
        summary="Write a draft",
        tags=["invoices"],
        request=bodies.InvoiceBody,
        responses={201: schemas.InvoiceAnswer, 404: schemas.UNKNOWN_CLIENT},
        examples=[schemas.INVOICE_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Write a draft."""
        draft = bodies.draft_input(self.read_body(bodies.InvoiceBody))
        return created(services.create_invoice(actor=self.actor, draft=draft))


class InvoiceResource(VersionedView):
    """One invoice."""

    permissions: ClassVar = {"GET": "invoices:read", "PATCH": "invoices:write", "DELETE": "invoices:write"}
    listing, is_one = InvoiceList.listing, True

    @extend_schema(
        operation_id="invoices_retrieve",
        summary="Read an invoice",
        tags=["invoices"],
        responses=schemas.InvoiceAnswer,
    )
    def get(self, request: Request, invoice_id: UUID) -> Response:
        """The whole invoice."""
        found = selectors.get_invoice(actor=self.actor, invoice_id=invoice_id)
        return self.versioned(self.expanded(present_full_invoice(found)), str(found.version))

    @extend_schema(
        operation_id="invoices_update",
        summary="Change a draft",
        tags=["invoices"],
        request=bodies.InvoiceChangesBody,
        responses=schemas.InvoiceAnswer,
    )
    def patch(self, request: Request, invoice_id: UUID) -> Response:
        """Change what the body names; `lines` replaces all lines."""
        body, expected = self.read_body(bodies.InvoiceChangesBody), self.expected_versions()
        seen = expected
        if "version" in body:
            named = str(body["version"])
            seen = {named} if expected is None or named in expected else set()
        try:
            invoice = services.update_invoice(
                actor=self.actor, invoice_id=invoice_id, changes=bodies.draft_changes(body), expected=seen
            )
        except VersionConflict as conflict:
            if "version" in body:
                raise StaleEdit(conflict.detail, version=int(conflict.present)) from conflict
            raise
        return self._answer(invoice)

    @extend_schema(
        operation_id="invoices_delete",
        summary="Delete a draft",
        tags=["invoices"],
        responses={204: None},
    )
    def delete(self, request: Request, invoice_id: UUID) -> Response:
        """Throw a draft away."""
        services.delete_invoice(actor=self.actor, invoice_id=invoice_id, expected=self.expected_versions())
        return Response(status=204)

    def _answer(self, invoice: InvoiceView) -> Response:
        return self.versioned(present_full_invoice(invoice), str(invoice.version))


class InvoiceFinalize(ApiView):
    """Issue a draft."""

    permissions: ClassVar = {"POST": "invoices:write"}

    @extend_schema(
        operation_id="invoices_finalize",
        summary="Issue a draft",
        tags=["invoices"],
        request=None,
        responses=schemas.InvoiceAnswer,
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Give the draft its number; from then on it cannot change."""
        return Response(present_full_invoice(services.finalize_invoice(actor=self.actor, invoice_id=invoice_id)))


class InvoiceSend(ApiView):
    """E-mail an invoice."""

    permissions: ClassVar = {"POST": "invoices:write"}

    @extend_schema(
        operation_id="invoices_send",
        summary="E-mail an invoice to its client",
        tags=["invoices"],
        request=None,
        responses=schemas.InvoiceAnswer,
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Queue the e-mail with the link and the PDF."""
        return Response(present_full_invoice(services.send_invoice(actor=self.actor, invoice_id=invoice_id)))


class InvoiceVoid(ApiView):
    """Cancel an issued invoice."""

    permissions: ClassVar = {"POST": "invoices:void"}

    @extend_schema(
        operation_id="invoices_void",
        summary="Cancel an issued invoice",
        tags=["invoices"],
        request=None,
        responses=schemas.InvoiceAnswer,
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Cancel the invoice; its number stays taken."""
        return Response(present_full_invoice(services.void_invoice(actor=self.actor, invoice_id=invoice_id)))


class InvoiceUncollectible(ApiView):
    """Write an invoice off."""

    permissions: ClassVar = {"POST": "invoices:void"}

    @extend_schema(
        operation_id="invoices_uncollectible",
        summary="Write off what is due",
        tags=["invoices"],
        request=None,
        responses=schemas.InvoiceAnswer,
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Write off what is still due."""
        return Response(present_full_invoice(services.mark_uncollectible(actor=self.actor, invoice_id=invoice_id)))


class InvoiceDuplicate(ApiView):
    """Copy an invoice."""

    permissions: ClassVar = {"POST": "invoices:write"}

    @extend_schema(
        operation_id="invoices_duplicate",
        summary="Copy an invoice into a new draft",
        tags=["invoices"],
        request=None,
        responses={201: schemas.InvoiceAnswer},
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """A new draft with the same client and lines."""
        return created(services.duplicate_invoice(actor=self.actor, invoice_id=invoice_id))


def created(invoice: InvoiceView) -> Response:
    """201 with the new invoice and where it is."""
    location = f"/api/v1/invoices/{invoice.id}"
    return Response(present_full_invoice(invoice), status=201, headers={"Location": location})

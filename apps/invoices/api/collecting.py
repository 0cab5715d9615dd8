"""Collecting an invoice over REST: the checkout, payments noted by hand, and the PDF."""

from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.downloads import DownloadView
from apps.core.rest.listing import Listing
from apps.core.rest.views import ApiView
from apps.invoices import selectors, services
from apps.invoices.api import bodies, schemas
from apps.invoices.api.presenters import present_payment
from apps.invoices.lifecycle import PURPOSE
from apps.payments import selectors as payments


class InvoicePay(ApiView):
    """A checkout over what is due."""

    permissions: ClassVar = {"POST": "payments:write"}
    own_transactions = True

    @extend_schema(
        operation_id="invoices_pay",
        summary="Open a checkout over what is due",
        tags=["invoices"],
        request=None,
        responses={
            201: schemas.CheckoutAnswer,
            502: schemas.GATEWAY_FAILED,
        },
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """The payment, pending, and where the customer pays it. After a 502 the same call tries again."""
        checkout = services.pay_invoice(actor=self.actor, invoice_id=invoice_id)
        with transaction.atomic():
            payment = payments.get_payment(actor=self.actor, payment_id=checkout.payment_id)
        return Response({"payment": present_payment(payment), "payment_url": checkout.url}, status=201)


class InvoicePayments(ApiView):
    """The payments of one invoice."""

    permissions: ClassVar = {"GET": "payments:read", "POST": "payments:write"}
    listing = Listing(schemas.InvoicePaymentAnswer, "The payments of an invoice.", keys={})

    @extend_schema(
        operation_id="invoices_payments_list",
        summary="List an invoice's payments",
        tags=["invoices"],
        responses=listing.page,
    )
    def get(self, request: Request, invoice_id: UUID) -> Response:
        """All payments of the invoice, newest first."""
        selectors.get_invoice(actor=self.actor, invoice_id=invoice_id)
        found = payments.payments_for(purpose=PURPOSE, purpose_id=invoice_id)
        return self.listed_whole(present_payment(row) for row in found)

    @extend_schema(
        operation_id="invoices_payments_create",
        summary="Note a payment that came outside the gateway",
        tags=["invoices"],
        request=bodies.ManualPaymentBody,
        responses={201: schemas.InvoicePaymentAnswer},
        examples=[schemas.PAYMENT_EXAMPLE],
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Note the payment; it counts at once."""
        body = self.read_body(bodies.ManualPaymentBody)
        body["method"] = body["method"].upper()
        payment_id = services.record_manual_payment(actor=self.actor, invoice_id=invoice_id, **body)
        payment = payments.get_payment(actor=self.actor, payment_id=payment_id)
        location = f"/api/v1/payments/{payment_id}"
        return Response(present_payment(payment), status=201, headers={"Location": location})


class InvoicePdf(DownloadView):
    """The PDF of an issued invoice."""

    permissions: ClassVar = {"GET": "invoices:read"}
    own_transactions = True
    media_type = "application/pdf"

    @extend_schema(
        operation_id="invoices_pdf",
        summary="Download an invoice's PDF",
        tags=["invoices"],
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, invoice_id: UUID) -> HttpResponse:
        """The document; it is made now if the queue has not come to it."""
        with transaction.atomic():
            invoice = selectors.get_invoice(actor=self.actor, invoice_id=invoice_id)
        content = services.ensure_document(invoice_id=invoice_id)
        return HttpResponse(
            content,
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'inline; filename="{invoice.number}.pdf"',
                "Cache-Control": "private, no-store",
            },
        )

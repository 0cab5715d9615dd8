"""REST routes of the invoices app."""

from django.urls import path

from apps.invoices.api import clients, collecting, invoices, series

urlpatterns = [
    path("number-series", series.SeriesList.as_view(), name="series-list"),
    path("number-series/<slug:kind>", series.SeriesResource.as_view(), name="series"),
    path("clients", clients.ClientList.as_view(), name="client-list"),
    path("clients/<uuid:client_id>", clients.ClientResource.as_view(), name="client"),
    path("invoices", invoices.InvoiceList.as_view(), name="invoice-list"),
    path("invoices/<uuid:invoice_id>", invoices.InvoiceResource.as_view(), name="invoice"),
    path("invoices/<uuid:invoice_id>/finalize", invoices.InvoiceFinalize.as_view(), name="invoice-finalize"),
    path("invoices/<uuid:invoice_id>/send", invoices.InvoiceSend.as_view(), name="invoice-send"),
    path("invoices/<uuid:invoice_id>/void", invoices.InvoiceVoid.as_view(), name="invoice-void"),
    path(
        "invoices/<uuid:invoice_id>/uncollectible",
        invoices.InvoiceUncollectible.as_view(),
        name="invoice-uncollectible",
    ),
    path("invoices/<uuid:invoice_id>/duplicate", invoices.InvoiceDuplicate.as_view(), name="invoice-duplicate"),
    path("invoices/<uuid:invoice_id>/pay", collecting.InvoicePay.as_view(), name="invoice-pay"),
    path("invoices/<uuid:invoice_id>/payments", collecting.InvoicePayments.as_view(), name="invoice-payments"),
    path("invoices/<uuid:invoice_id>/pdf", collecting.InvoicePdf.as_view(), name="invoice-pdf"),
]

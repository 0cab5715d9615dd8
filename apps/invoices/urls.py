"""Page routes of the invoices app, on the tenant's host."""

from django.urls import include, path

from apps.invoices.views import clients, hosted, invoices, series

invoice_pages = [
    path("", invoices.invoice_list, name="list"),
    path("new/", invoices.create, name="new"),
    path("<uuid:invoice_id>/", invoices.detail, name="detail"),
    path("<uuid:invoice_id>/edit/", invoices.edit, name="edit"),
    path("<uuid:invoice_id>/pdf/", invoices.pdf, name="pdf"),
    path("<uuid:invoice_id>/duplicate/", invoices.duplicate, name="duplicate"),
    path("<uuid:invoice_id>/delete/", invoices.delete, name="delete"),
    path("<uuid:invoice_id>/payments/", invoices.record_payment, name="record-payment"),
    path("<uuid:invoice_id>/<slug:action>/", invoices.act, name="act"),
]
client_pages = [
    path("", clients.client_list, name="list"),
    path("new/", clients.create, name="new"),
    path("<uuid:client_id>/", clients.detail, name="detail"),
    path("<uuid:client_id>/edit/", clients.edit, name="edit"),
    path("<uuid:client_id>/delete/", clients.delete, name="delete"),
]
hosted_pages = [
    path("<slug:token>/", hosted.show, name="show"),
    path("<slug:token>/pdf/", hosted.pdf, name="pdf"),
    path("<slug:token>/pay/", hosted.pay, name="pay"),
]

urlpatterns = [
    path("settings/numbers/", series.number_series, name="settings-numbers"),
    path("invoices/", include((invoice_pages, "invoices"))),
    path("clients/", include((client_pages, "clients"))),
    path("i/", include((hosted_pages, "hosted"))),
]

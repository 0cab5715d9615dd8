"""REST routes of the payments app."""

from django.urls import URLPattern, path

from apps.core.rest.listing import Expansion
from apps.payments.api.views import PaymentDetailView, PaymentRefundsView, PaymentsView


def routes(*relations: Expansion) -> list[URLPattern]:
    """The routes; `relations` are what apps above bring along with a payment on request (``expand``)."""
    listing = PaymentsView.listing.also(*relations)
    return [
        path("payments", PaymentsView.as_view(listing=listing), name="payment-list"),
        path("payments/<uuid:payment_id>", PaymentDetailView.as_view(listing=listing), name="payment-detail"),
        path("payments/<uuid:payment_id>/refunds", PaymentRefundsView.as_view(), name="payment-refunds"),
    ]

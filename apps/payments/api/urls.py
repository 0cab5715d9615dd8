"""REST routes of the payments app."""

from django.urls import path

from apps.payments.api.views import PaymentDetailView, PaymentRefundsView, PaymentsView

urlpatterns = [
    path("payments", PaymentsView.as_view(), name="payment-list"),
    path("payments/<uuid:payment_id>", PaymentDetailView.as_view(), name="payment-detail"),
    path("payments/<uuid:payment_id>/refunds", PaymentRefundsView.as_view(), name="payment-refunds"),
]

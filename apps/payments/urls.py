"""Page routes of the payments app, on the tenant's host."""

from django.urls import path

from apps.payments import views

app_name = "payments"
urlpatterns = [
    path("", views.payment_list, name="list"),
    path("<uuid:payment_id>/", views.detail, name="detail"),
    path("<uuid:payment_id>/refund/", views.refund, name="refund"),
]

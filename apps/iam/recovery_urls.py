"""Routes for forgotten passwords and unconfirmed addresses, on the platform's and on every tenant's host."""

from django.urls import path

from apps.iam import recovery_views as views

urlpatterns = [
    path("forgot-password/", views.password_forgot, name="password-forgot"),
    path("reset-password/", views.password_reset, name="password-reset"),
    path("verify-email/", views.verify_email, name="verify-email"),
]

"""Payments: checkouts, money noted by hand, refunds, and the gateway's events."""

from importlib import import_module

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "apps.payments"
    label = "payments"
    verbose_name = "Payments"

    def ready(self) -> None:
        """Subscribe the handlers."""
        import_module("apps.payments.handlers")

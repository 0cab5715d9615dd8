"""Ledger: double entry per tenant; entries balance per currency and are never changed."""

from importlib import import_module

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "apps.ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """Subscribe the handlers."""
        import_module("apps.ledger.handlers")

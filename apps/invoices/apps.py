"""Invoices: clients, invoices and their documents, one set of tables per tenant."""

from importlib import import_module

from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    name = "apps.invoices"
    label = "invoices"
    verbose_name = "Invoices"

    def ready(self) -> None:
        """Subscribe to what other apps tell and declare the tasks."""
        import_module("apps.invoices.handlers")
        import_module("apps.invoices.tasks")

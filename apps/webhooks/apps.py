"""Webhooks: telling programs outside what happened, one set of tables per tenant."""

from importlib import import_module

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "apps.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        """Subscribe to what other apps tell and declare the tasks."""
        import_module("apps.webhooks.handlers")
        import_module("apps.webhooks.tasks")

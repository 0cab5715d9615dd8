"""Tenancy: organisations, their hosts, and the life of their schemas."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_delete


class TenancyConfig(AppConfig):
    name = "apps.tenancy"
    label = "tenancy"
    verbose_name = "Organisations"

    def ready(self) -> None:
        """Subscribe the handlers."""
        import_module("apps.tenancy.handlers")
        # It listens to every model, so that Django would load each row it deletes; schemas are dropped by `purging`.
        post_delete.disconnect(import_module("django_tenants.signals").tenant_delete_callback)

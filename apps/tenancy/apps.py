"""Tenancy: organisations, their hosts, and the life of their schemas."""

from importlib import import_module

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "apps.tenancy"
    label = "tenancy"
    verbose_name = "Organisations"

    def ready(self) -> None:
        """Subscribe the handlers."""
        import_module("apps.tenancy.handlers")

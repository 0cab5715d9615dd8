"""Tenancy: organisations, their hosts, and the life of their schemas."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "apps.tenancy"
    label = "tenancy"
    verbose_name = "Organisations"

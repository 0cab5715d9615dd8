"""The kernel: database context, money, events, actors, errors, jobs, what pages and REST share. No tables."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

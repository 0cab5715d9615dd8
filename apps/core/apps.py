"""The kernel: database context, money, events, actors, errors, jobs, what pages and REST share. No tables."""

from django.apps import AppConfig
from django_prometheus.middleware import Metrics


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        """Register the requests' metrics before there are threads, which would register them twice."""
        Metrics.get_instance()

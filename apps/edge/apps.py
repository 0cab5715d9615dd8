"""The edge: what every API call gets without its view writing a line."""

from django.apps import AppConfig
from django.core.checks import register

from apps.edge import checks


class EdgeConfig(AppConfig):
    name = "apps.edge"
    label = "edge"
    verbose_name = "API edge"

    def ready(self) -> None:
        """Register the checks."""
        register(checks.stands_first)
        register(checks.networks_are_written_well)
        register(checks.knows_its_proxy, deploy=True)

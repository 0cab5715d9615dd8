"""The edge: what every API call gets without its view writing a line."""

from django.apps import AppConfig


class EdgeConfig(AppConfig):
    name = "apps.edge"
    label = "edge"
    verbose_name = "API edge"

"""Archives: one whole tenant out of an installation, and into another."""

from django.apps import AppConfig


class ArchivesConfig(AppConfig):
    name = "apps.archives"
    label = "archives"
    verbose_name = "Archives"

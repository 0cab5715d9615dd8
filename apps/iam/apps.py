"""IAM: people, their memberships, sign-in, tokens and permissions."""

from importlib import import_module

from django.apps import AppConfig


class IamConfig(AppConfig):
    name = "apps.iam"
    label = "iam"
    verbose_name = "People and access"

    def ready(self) -> None:
        """Subscribe the handlers."""
        import_module("apps.iam.handlers")

"""Notifications: who is told of what, in the product and by e-mail, and the live push."""

from importlib import import_module

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "apps.notifications"
    label = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Subscribe the handlers."""
        import_module("apps.notifications.handlers")
        import_module("apps.notifications.domain_handlers")
        import_module("apps.notifications.factor_handlers")
        import_module("apps.notifications.life_handlers")
        import_module("apps.notifications.people_handlers")
        import_module("apps.notifications.session_handlers")
        import_module("apps.notifications.sso_handlers")
        import_module("apps.notifications.webhook_handlers")

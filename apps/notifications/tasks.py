"""Background work of the notifications app."""

from uuid import UUID

from apps.core.jobs import platform_task
from apps.notifications import deliveries


@platform_task("notifications.deliver_email", queue="notifications")
def deliver_email(delivery_id: str) -> None:
    """Send one e-mail."""
    deliveries.deliver_email(delivery_id=UUID(delivery_id))


@platform_task("notifications.sweep_emails", queue="notifications")
def sweep_emails() -> None:
    """Send every e-mail that is due."""
    deliveries.deliver_due_emails()

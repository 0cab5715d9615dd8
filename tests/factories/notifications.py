"""Notifications and e-mails for tests, made through the services."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from apps.core.clock import utcnow
from apps.notifications import services
from apps.notifications.models import EmailDelivery, NotificationKind
from apps.notifications.services import Letter, Recipient, Text
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import actor_of


def tell(
    tenant: TenantView, title: str = "Something happened", *, roles: Iterable[str] = ("OWNER",), **values: Any
) -> list[UUID]:
    """Tell the members in these roles; returns whom."""
    recipients = [Recipient(user_of(tenant, role), "en") for role in roles]
    standard: dict[str, Any] = {"kind": NotificationKind.WELCOME, "dedupe_key": uuid4().hex}
    return services.notify(tenant_id=tenant.id, recipients=recipients, text=lambda: Text(title), **(standard | values))


def user_of(tenant: TenantView, role: str = "OWNER") -> UUID:
    """The id of the tenant's member in `role`."""
    user_id = actor_of(tenant, role).user_id
    assert user_id
    return user_id


def letter(**values: Any) -> Letter:
    """A welcome in English unless told otherwise."""
    standard: dict[str, Any] = {
        "to": "mira@readers.test",
        "locale": "en",
        "template": "welcome",
        "subject": "Sails and Ropes is ready",
        "context": {"name": "Mira", "tenant_name": "Sails and Ropes", "link": "https://sails.insula.test/"},
    }
    return Letter(**(standard | values))


def owe(tenant_id: UUID | None = None, *, dedupe_key: str = "", **values: Any) -> EmailDelivery:
    """An e-mail that waits to be sent."""
    delivery_id = services.queue_email(
        letter=letter(**values), tenant_id=tenant_id, dedupe_key=dedupe_key or uuid4().hex, now=utcnow()
    )
    return EmailDelivery.objects.get(pk=delivery_id)

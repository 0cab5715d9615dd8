"""A letter that a handler owes: its row in the transaction of the change, then a hint to whoever sends it."""

from uuid import UUID

from apps.core.jobs import wake
from apps.notifications import services, tasks
from apps.notifications.services import Letter


def post(letter: Letter, key: str, *, tenant_id: UUID | None = None) -> None:
    """Owe `letter`, once for each `key`; of a workspace's business with its `tenant_id`."""
    delivery_id = services.queue_email(letter=letter, tenant_id=tenant_id, dedupe_key=key)
    if delivery_id:
        wake(tasks.deliver_email, delivery_id)

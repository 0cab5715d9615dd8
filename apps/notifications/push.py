"""The live push: tells open sockets that there is something; what it is they read from the database."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

from apps.core.actor import Actor

logger = structlog.get_logger(__name__)

POKE = "notifications.poke"


def group(tenant_id: UUID, user_id: UUID) -> str:
    """The channel group of one person's sockets in one tenant."""
    return f"user.{tenant_id}.{user_id}"


def poke(tenant_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Once the transaction commits, make the sockets of these people look. Never raises.

    A push that is lost costs nothing but time: a socket looks again with its next ping or reconnect.
    """
    groups = [group(tenant_id, user_id) for user_id in user_ids]
    if groups:
        transaction.on_commit(partial(_send, groups), robust=True)


def poke_own(actor: Actor) -> None:
    """The same for the actor's own other pages."""
    if actor.tenant_id and actor.user_id:
        poke(actor.tenant_id, [actor.user_id])


def _send(groups: list[str]) -> None:
    try:
        async_to_sync(send_to)(groups)
    except (RedisError, OSError) as error:
        logger.warning("push.failed", groups=len(groups), error=str(error))


async def send_to(groups: list[str]) -> None:
    """Poke the groups at once."""
    layer = get_channel_layer()
    for name in groups:
        await layer.group_send(name, {"type": POKE})

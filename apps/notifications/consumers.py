"""The live socket of one member: says hello, catches up from his cursor, then tells what is new."""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseTrouble
from redis.exceptions import RedisError

from apps.core.actor import Actor
from apps.notifications import push, sockets
from apps.notifications.selectors import MAX_SEQ, NotificationView

logger = structlog.get_logger(__name__)
R = TypeVar("R")

AUTH_SECONDS = 5
MAX_MESSAGE = 8 * 1024
MAX_MESSAGES_A_MINUTE = 120
# Rows sent in one go; a client that is further behind asks for more.
BATCH = 200

# Close codes: 4xxx are the application's (RFC 6455, 7.4.2).
MALFORMED, UNAUTHENTICATED, OTHER_IDENTITY = 4400, 4401, 4403
TOO_BIG, POLICY, TRY_AGAIN_LATER = 1009, 1008, 1013

# A few threads with a connection each: sockets wait for one another rather than for a connection of their own.
_DATABASE_THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="socket-db")


class NotificationConsumer(AsyncWebsocketConsumer):
    """One socket. A push carries no content: rows after the socket's cursor are read from the database.

    So nothing can come twice, out of order or be left out, and a push that is lost is made good by the next one,
    by the client's ping or by its reconnect.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve until either side closes; when a server behind fails, ask the client to come back."""
        self._actor: Actor | None = None
        self._identify: sockets.Identify | None = None
        self._cursor = 0
        self._unread: int | None = None
        self._status = ""
        self._deadline: asyncio.Task[None] | None = None
        self._window, self._messages = 0.0, 0
        try:
            await super().__call__(scope, receive, send)
        except (RedisError, DatabaseTrouble) as error:
            logger.warning("socket.lost_its_server", error=repr(error))
            await self._ask_to_come_again(send)
        except OSError as error:
            # Said into a connection that is closed already.
            logger.debug("socket.client_gone", error=repr(error))
            await self._ask_to_come_again(send)
        finally:
            if self._deadline:
                self._deadline.cancel()

    async def _ask_to_come_again(self, send: Any) -> None:
        # The client may be gone, or be told already.
        with suppress(RuntimeError, OSError):
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})

    # -- opening ---------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Accept, then identify by the cookie or wait for the first message."""
        await self.accept()
        self._handshake = sockets.Handshake.of(self.scope)
        try:
            self._wanted = _cursor_from(self.scope["query_string"])
        except ValueError:
            await self.close(MALFORMED)
            return
        identify = self._handshake.by_session()
        if identify is None or not await self._start(identify):
            self._deadline = asyncio.create_task(self._close_unauthenticated())

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        if self._actor:
            with suppress(RedisError, OSError):
                await self.channel_layer.group_discard(self._group, self.channel_name)

    async def _close_unauthenticated(self) -> None:
        await asyncio.sleep(AUTH_SECONDS)
        with suppress(RuntimeError, OSError):
            await self.close(UNAUTHENTICATED)

    async def _start(self, identify: sockets.Identify) -> bool:
        actor = await _in_database(identify)
        if actor is None:
            return False
        if self._deadline:
            self._deadline.cancel()
        self._actor, self._identify = actor, identify
        self._cursor = await _in_database(sockets.start_cursor, actor, self._wanted)
        # Listening comes before looking: what is committed in between is then seen twice and sent once.
        lost: Exception | None = None
        try:
            await self.channel_layer.group_add(self._group, self.channel_name)
        except (RedisError, OSError) as error:
            lost = error
        glance = await _in_database(sockets.glance, identify, None, 0)
        if glance is None:
            return False
        self._unread, self._status = glance.unread, glance.status
        await self._say(type="hello", cursor=self._cursor, unread=glance.unread)
        await self._catch_up()
        if lost:
            # What is stored was told; for what comes the client tries again.
            raise lost
        return True

    # -- from the client -------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One message of the client: ``auth``, ``read``, ``next`` or ``ping``."""
        if len(text_data or bytes_data or "") > MAX_MESSAGE:
            await self.close(TOO_BIG)
            return
        if not self._may_speak():
            await self.close(POLICY)
            return
        try:
            message = json.loads(text_data or "")
            kind = message["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            await self.close(MALFORMED)
            return
        if kind == "auth":
            await self._authenticate(message.get("access"))
        elif self._identify is None:
            await self.close(UNAUTHENTICATED)
        elif kind == "ping":
            await self._catch_up()
            await self._say(type="pong", cursor=self._cursor)
        elif kind == "next":
            await self._catch_up()
        elif kind == "read":
            await self._mark_read(self._identify, message.get("id"))
        else:
            await self._say(type="error", code="unknown_message")

    async def _authenticate(self, access: Any) -> None:
        if not isinstance(access, str) or not access:
            await self.close(MALFORMED)
            return
        identify = self._handshake.by_token(access)
        if self._actor is None:
            if not await self._start(identify):
                await self.close(UNAUTHENTICATED)
            return
        # A fresh token for a socket that is open already.
        actor = await _in_database(identify)
        if actor is None:
            await self.close(UNAUTHENTICATED)
        elif (actor.tenant_id, actor.user_id) != (self._actor.tenant_id, self._actor.user_id):
            await self.close(OTHER_IDENTITY)
        else:
            self._identify = identify

    async def _mark_read(self, identify: sockets.Identify, notification_id: Any) -> None:
        try:
            wanted = UUID(notification_id)
        except (ValueError, TypeError, AttributeError):
            await self._say(type="error", code="not_found")
            return
        if await _in_database(sockets.mark_read, identify, wanted):
            # Also this person's other sockets: their counts have changed.
            await push.send_to([self._group])
        else:
            await self._say(type="error", code="not_found")

    def _may_speak(self) -> bool:
        now = time.monotonic()
        if now - self._window > 60:
            self._window, self._messages = now, 0
        self._messages += 1
        return self._messages <= MAX_MESSAGES_A_MINUTE

    # -- to the client ---------------------------------------------------------------------------------------------

    async def notifications_poke(self, message: dict[str, Any]) -> None:
        """Something changed for this person."""
        await self._catch_up()

    async def _catch_up(self) -> None:
        if self._identify is None:
            return
        glance = await _in_database(sockets.glance, self._identify, self._cursor, BATCH + 1)
        if glance is None:
            await self.close(UNAUTHENTICATED)
            return
        for row in glance.rows[:BATCH]:
            await self._say(**_present(row, glance.unread))
            self._cursor = row.cursor
        if len(glance.rows) > BATCH:
            await self._say(type="more", cursor=self._cursor)
        if not glance.rows and glance.unread != self._unread:
            await self._say(type="unread", cursor=self._cursor, unread=glance.unread)
        self._unread = glance.unread
        if glance.status != self._status:
            self._status = glance.status
            await self._say(type="workspace", cursor=self._cursor, status=glance.status)

    async def _say(self, **message: Any) -> None:
        await self.send(text_data=json.dumps(message, ensure_ascii=False))

    @property
    def _group(self) -> str:
        assert self._actor and self._actor.tenant_id and self._actor.user_id
        return push.group(self._actor.tenant_id, self._actor.user_id)


def _present(row: NotificationView, unread: int) -> dict[str, Any]:
    return {
        "type": "notification",
        "id": str(row.id),
        "cursor": row.cursor,
        "kind": row.kind,
        "level": row.level,
        "title": row.title,
        "body": row.body,
        "url": row.url,
        "unread": unread,
        "created_at": row.created_at.isoformat(),
    }


def _cursor_from(query_string: bytes) -> int | None:
    given = parse_qs(query_string.decode("ascii"), max_num_fields=20).get("cursor")
    if not given:
        return None
    if not given[0].isascii() or not given[0].isdigit() or len(given[0]) > 30:
        raise ValueError("cursor")
    return min(int(given[0]), MAX_SEQ)


async def _in_database(function: Callable[..., R], *arguments: Any) -> R:
    run = database_sync_to_async(function, thread_sensitive=False, executor=_DATABASE_THREADS)
    result: R = await run(*arguments)
    return result

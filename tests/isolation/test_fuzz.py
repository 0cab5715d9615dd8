"""Tenants' work interleaved over threads, asyncio, sockets and Celery, on each way to the database: zero crossings.

``INSULA_FUZZ_OPERATIONS`` says how many operations each way gets (`make fuzz` asks for 70,000).
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from celery.contrib.testing.worker import start_worker
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import connections

from apps.core.jobs import platform_task
from config.celery import app
from tests.fixtures.tenants import NewTenant
from tests.isolation.operations import World, furnish
from tests.isolation.transports import PGBOUNCER, PLAIN, POOL, pgbouncer, through

OPERATIONS = int(os.environ.get("INSULA_FUZZ_OPERATIONS", "3000"))
WORKERS = 6
BATCH = 25

_worlds: dict[str, World] = {}
_told: dict[str, "SimpleQueue[str]"] = {}


def _batch(world: World, first: int) -> None:
    for seed in range(first, first + BATCH):
        world.work(seed)


@platform_task("tests.isolation.batch")
def celery_batch(name: str, first: str) -> None:
    """Work in a real worker's thread; what comes of it is told through the process's memory."""
    try:
        _batch(_worlds[name], int(first))
    except BaseException as error:
        _told[name].put(repr(error))
        raise
    _told[name].put("")


class FuzzConsumer(AsyncWebsocketConsumer):
    """A socket that works on the database as ours do."""

    world: World

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Do a batch and say so."""
        try:
            await database_sync_to_async(_batch, thread_sensitive=False)(self.world, int(text_data or 0))
        except Exception as error:
            await self.send(repr(error))
        else:
            await self.send("done")


def by_threads(world: World, firsts: list[int]) -> list[str]:
    """Threads with connections of their own."""

    def run(mine: list[int]) -> list[str]:
        try:
            for first in mine:
                _batch(world, first)
        except BaseException as error:
            return [repr(error)]
        finally:
            connections.close_all()
        return []

    with ThreadPoolExecutor(WORKERS) as pool:
        return [text for told in pool.map(run, [firsts[n::WORKERS] for n in range(WORKERS)]) for text in told]


def by_tasks(world: World, firsts: list[int]) -> list[str]:
    """Asyncio tasks whose pieces of work hop over the threads of one executor."""

    async def one(mine: list[int], executor: ThreadPoolExecutor) -> None:
        for first in mine:
            for seed in range(first, first + BATCH):
                await sync_to_async(world.work, thread_sensitive=False, executor=executor)(seed)

    async def everything() -> list[Any]:
        with ThreadPoolExecutor(WORKERS) as executor:
            tasks = [one(firsts[n :: WORKERS * 4], executor) for n in range(WORKERS * 4)]
            found = await asyncio.gather(*tasks, return_exceptions=True)
            barrier = threading.Barrier(WORKERS)
            list(executor.map(lambda _: (barrier.wait(60), connections.close_all()), range(WORKERS)))
        return found

    return [repr(found) for found in _in_a_loop(everything) if found is not None]


def by_sockets(world: World, firsts: list[int]) -> list[str]:
    """Sockets of a Channels consumer, each with a message under way."""
    consumer = type("Consumer", (FuzzConsumer,), {"world": world}).as_asgi()

    async def one(mine: list[int]) -> list[str]:
        socket = ApplicationCommunicator(consumer, {"type": "websocket", "path": "/ws/"})
        await socket.send_input({"type": "websocket.connect"})
        assert (await socket.receive_output(60))["type"] == "websocket.accept"
        told = []
        for first in mine:
            await socket.send_input({"type": "websocket.receive", "text": str(first)})
            told.append((await socket.receive_output(300))["text"])
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(60)
        return [text for text in told if text != "done"]

    async def everything() -> list[str]:
        found = await asyncio.gather(*(one(firsts[n::WORKERS]) for n in range(WORKERS)))
        return [text for told in found for text in told]

    return _in_a_loop(everything)


def by_celery(world: World, firsts: list[int]) -> list[str]:
    """Tasks in the threads of a real worker, sent through the real broker."""
    name = uuid4().hex
    _worlds[name], _told[name] = world, SimpleQueue()
    try:
        with start_worker(
            app,
            pool="threads",
            concurrency=WORKERS,
            queues=[name],
            perform_ping_check=False,
            shutdown_timeout=60,
            loglevel=logging.getLogger().level,  # it sets this for the whole process, and leaves it so
        ):
            for first in firsts:
                celery_batch.apply_async(args=[name, str(first)], queue=name)
            return [text for text in (_told[name].get(timeout=300) for _ in firsts) if text]
    finally:
        del _worlds[name], _told[name]


def _in_a_loop(work: Callable[[], Any]) -> Any:
    # A thread of its own: the browser tests may have left a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


@pytest.fixture(params=[PLAIN, POOL, PGBOUNCER])
def way(request: pytest.FixtureRequest, committed: NewTenant, tmp_path: Path) -> Iterator[World]:
    """Three furnished tenants, reached through one of the ways to the database."""
    if request.param == PGBOUNCER and pgbouncer() is None:
        pytest.skip("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
    tenants = tuple(committed(f"Fuzz {number} {uuid4().hex[:6]}") for number in range(3))
    for tenant in tenants:
        furnish(tenant)
    with through(request.param, tmp_path):
        yield World(tenants)


@pytest.mark.timeout(3600)
def test_nobody_ever_crosses(way: World) -> None:
    each = max(OPERATIONS // 4 // BATCH, WORKERS)
    for number, kind in enumerate((by_threads, by_tasks, by_sockets, by_celery)):
        firsts = [(number * each + index) * BATCH for index in range(each)]
        assert kind(way, firsts) == [], kind.__name__

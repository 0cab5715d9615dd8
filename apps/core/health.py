"""Is the process alive, is it ready, and how is everything it needs."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import FileSystemStorage, storages
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from apps.core.breaker import Breaker, BreakerOpen, BreakerState

logger = structlog.get_logger(__name__)

# What goes past the process's own timeouts is asked elsewhere, waited for so long, and remembered for a while, so
# that whoever asks all the time costs nothing.
PATIENCE_SECONDS, REMEMBERED_SECONDS = 2, 3
# Services outside whose breakers say how they are; asking them would cost them more than it tells.
GUARDED = ("email", "stripe")

State = dict[str, Any]
# A thread for each that is asked there, so that none waits for another.
_elsewhere = ThreadPoolExecutor(max_workers=3 + len(GUARDED), thread_name_prefix="health")
_asked: dict[str, tuple[float, State]] = {}
_under_way: "dict[str, Future[State]]" = {}
_lock = threading.Lock()


@csrf_exempt
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """What every request needs answers: 200, else 503."""
    body = _report(_essential())
    return JsonResponse(body, status=200 if body["percentage"] == 100 else 503)


@csrf_exempt
@require_safe
def aggregate(request: HttpRequest) -> JsonResponse:
    """State of each dependency with its latency; 503 only when the database is down."""
    body = _report(_essential() | _others())
    return JsonResponse(body, status=503 if body["status"] == "unhealthy" else 200)


def _report(dependencies: dict[str, State]) -> dict[str, Any]:
    up = sum(1 for state in dependencies.values() if state["status"] == "up")
    status = "healthy" if up == len(dependencies) else "degraded"
    if dependencies["database"]["status"] == "down":
        status = "unhealthy"
    return {
        "status": status,
        "percentage": 100 * up // len(dependencies),
        "rollout_mode": settings.ROLLOUT_MODE,
        "dependencies": dependencies,
    }


def _essential() -> dict[str, State]:
    database = _begin("database", _database)
    cache_state = _timed("cache", _cache)
    return {"database": _awaited("database", database), "cache": cache_state}


def _others() -> dict[str, State]:
    """The queue and the files, asked side by side, and what breakers know of services outside."""
    begun = {name: _begin(name, check) for name, check in {"queue": _queue, "storage": _storage}.items()}
    breakers = {name: Breaker.known[name] for name in GUARDED if name in Breaker.known}
    looked_at = {name: _begin(name, partial(_closed, breaker)) for name, breaker in breakers.items()}
    states = {name: _awaited(name, answer) for name, answer in begun.items()}
    for name, answer in looked_at.items():
        # The cache that it asks gives up by itself, and the process's own count stands in.
        states[name] = _awaited(name, answer, patience=None) | {"latency_ms": None}
    return states


def _begin(name: str, check: Callable[[], None]) -> "State | Future[State]":
    with _lock:
        asked_at, state = _asked.get(name, (0.0, {}))
        if asked_at and time.monotonic() - asked_at < REMEMBERED_SECONDS:
            return state
        answer = _under_way.get(name)
        if answer is None or answer.done():
            # Else everybody who asks what hangs would hold a thread of his own.
            answer = _under_way[name] = _elsewhere.submit(_timed, name, check)
        return answer


def _awaited(name: str, answer: "State | Future[State]", patience: float | None = PATIENCE_SECONDS) -> State:
    if not isinstance(answer, Future):
        return answer
    try:
        state = answer.result(patience)
    except TimeoutError:
        state = {"status": "down", "latency_ms": None}
    with _lock:
        _asked[name] = (time.monotonic(), state)
    return state


def _timed(name: str, check: Callable[[], None]) -> State:
    started = time.perf_counter()
    try:
        check()
    except Exception as error:
        # Every library fails in its own way; whichever it is, the dependency does not serve.
        logger.warning("health.down", dependency=name, error=type(error).__name__)
        return {"status": "down", "latency_ms": None}
    return {"status": "up", "latency_ms": round((time.perf_counter() - started) * 1000, 1)}


def _database() -> None:
    # A connection of its own: the thread outlives it, and nobody would notice that it has broken.
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    finally:
        connection.close()


def _cache() -> None:
    cache.get("health")


def _queue() -> None:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=PATIENCE_SECONDS)


def _closed(breaker: Breaker) -> None:
    if breaker.state() == BreakerState.OPEN:
        raise BreakerOpen(breaker.name, breaker.open_seconds)


def _storage() -> None:
    files = storages["default"]
    if not isinstance(files, FileSystemStorage):
        files.exists("health")  # which need not be there; a bucket that is away raises
        return
    place = Path(files.location)
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise PermissionError

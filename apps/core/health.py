"""Is the process alive, is it ready, and how is everything it needs."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError


def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Everything that a request needs answers: 200, else 503."""
    body = _report()
    return JsonResponse(body, status=200 if body["percentage"] == 100 else 503)


def aggregate(request: HttpRequest) -> JsonResponse:
    """State of each dependency with its latency; 503 only when the database is down."""
    body = _report()
    return JsonResponse(body, status=503 if body["status"] == "unhealthy" else 200)


def _report() -> dict[str, Any]:
    checks = {"database": _database, "cache": _cache}
    dependencies = {name: _timed(check) for name, check in checks.items()}
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


def _timed(check: Callable[[], None]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        check()
    except (Error, RedisError, OSError):
        return {"status": "down"}
    return {"status": "up", "latency_ms": round((time.perf_counter() - started) * 1000, 1)}


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select 1")


def _cache() -> None:
    cache.get("health")

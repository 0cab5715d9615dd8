"""Which endpoints are called: what an integration uses of all that is served."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence

from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


class Usage:
    """Counts calls by endpoint, from the start of the process."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._names = {route: f"{route.method} {_address(route)}" for route in routes}
        self._counter: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, route: Route) -> None:
        """Count one call."""
        with self._lock:
            self._counter[self._names[route]] += 1

    def counted(self) -> list[JsonObject]:
        """Return every endpoint with its number of calls."""
        with self._lock:
            return [{"endpoint": name, "calls": self._counter[name]} for name in sorted(self._names.values())]


def _address(route: Route) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", route.path)

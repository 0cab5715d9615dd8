"""An endpoint: method, address, parameters and the function that answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.stripe.calls import Call
from sandbox.stripe.parameters import Hash
from sandbox.stripe.shapes import JsonObject


@dataclass(frozen=True, eq=False)
class Route:
    """One endpoint of the API; `path` has werkzeug's placeholders, such as `/v1/charges/<charge>`."""

    method: str
    path: str
    answer: Callable[[Call], JsonObject]
    parameters: Hash

    @property
    def writes(self) -> bool:
        """Whether answering may change anything."""
        return self.method != "GET"

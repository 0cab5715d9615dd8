"""The last step before an answer goes out: what depends on the moment it is asked for."""

from __future__ import annotations

import json
from typing import Any

from sandbox.stripe.calls import Work
from sandbox.stripe.events import with_pending
from sandbox.stripe.resources.balance_transactions import with_status
from sandbox.stripe.shapes import JsonObject


def present(work: Work, value: Any) -> Any:
    """Return `value` with the objects in it as they stand now; what an event recorded stays as it was."""
    if isinstance(value, list):
        return [present(work, item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("object")
    if kind == "event":
        return with_pending(work.objects, value)
    presented = {name: present(work, member) for name, member in value.items()}
    return with_status(presented, work.now) if kind == "balance_transaction" else presented


def encoded(body: JsonObject) -> str:
    """Return the JSON text of a body, indented as Stripe's is."""
    return json.dumps(body, indent=2, ensure_ascii=False)

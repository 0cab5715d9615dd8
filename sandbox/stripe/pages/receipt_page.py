"""The receipt of a charge."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from sandbox.stripe.objects import Objects, equals
from sandbox.stripe.pages.rendering import message, page
from sandbox.stripe.storage import Storage


class ReceiptPage:
    """Shows what was paid and given back."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def show(self, request: Request, charge: str) -> Response:
        """Return the receipt."""
        with self._storage.read() as connection:
            objects = Objects.around(connection, charge)
            found = objects.get("charge", charge)
            if found is None or not found["paid"]:
                return message("No such receipt", "The address is incomplete, or nothing was paid.", status=404)
            refunds = objects.select("refund", [equals("charge", charge)], ascending=True)
            return page("receipt.html", charge=found, refunds=refunds)

"""Control over billing: what on Stripe is chosen or done in the dashboard."""

from __future__ import annotations

import time

from sandbox.stripe.billing import clocks, discounts, dunning
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.objects import Objects
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage


class BillingControl:
    """Answers the control requests that concern billing."""

    def __init__(self, configuration: Configuration, storage: Storage) -> None:
        self._configuration = configuration
        self._storage = storage

    def settings(self, body: JsonObject) -> JsonObject:
        """Choose what becomes of a subscription whose invoice is refused for the last time."""
        chosen = body.get("after_dunning")
        if chosen not in dunning.OUTCOMES:
            raise InvalidRequest(f"after_dunning must be one of {', '.join(dunning.OUTCOMES)}.", param="after_dunning")
        with self._storage.write() as connection:
            dunning.set_outcome(self._work(Objects(connection)), chosen)
        return {"after_dunning": chosen}

    def discount_customer(self, body: JsonObject, customer: str) -> JsonObject:
        """Give a whole customer a coupon, which the API of this version cannot do."""
        coupon = body.get("coupon")
        if not isinstance(coupon, str):
            raise InvalidRequest("coupon must be a string.", param="coupon")
        with self._storage.write() as connection:
            work = self._work(Objects.around(connection, customer))
            found = work.require("customer", customer, param="customer", in_path=True)
            work = clocks.at_time_of(work, found)
            before = dict(found)
            found["discount"] = discounts.redeem(work, {"coupon": coupon}, customer=customer, param="discount")
            work.objects.replace(found)
            emit(work, "customer.updated", found, before=before)
        return found

    def _work(self, objects: Objects) -> Work:
        return Work(objects, int(time.time()), self._configuration.base_url)

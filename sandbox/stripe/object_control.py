"""Control over objects: browsed whatever account holds them, disputed, decided, and moved on in time."""

from __future__ import annotations

import json
import time

from sandbox.stripe import disputes, later, outcomes
from sandbox.stripe.billing import clocks
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.errors import InvalidRequest, no_such
from sandbox.stripe.inside import ask
from sandbox.stripe.objects import Objects
from sandbox.stripe.serialization import present
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage

_REASONS = (
    "credit_not_processed",
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
_SHOWN = 100


class ObjectControl:
    """Answers the control requests that concern objects."""

    def __init__(self, configuration: Configuration, storage: Storage) -> None:
        self._configuration = configuration
        self._storage = storage

    def browse(self, body: JsonObject) -> JsonObject:
        """Return how many objects of each kind there are, and the newest of one `kind` or that contain `search`."""
        kind, search = body.get("kind"), body.get("search")
        with self._storage.read() as connection:
            kinds = {
                row["kind"]: row["number"]
                for row in connection.execute(
                    "SELECT kind, count(*) AS number FROM object WHERE NOT deleted GROUP BY kind ORDER BY kind"
                )
            }
            if not kind and not search:
                return {"kinds": kinds, "data": []}
            rows = connection.execute(
                "SELECT account, body FROM object WHERE NOT deleted AND (? IS NULL OR kind = ?)"
                " AND (? IS NULL OR instr(body, ?)) ORDER BY seq DESC LIMIT ?",
                (kind or None, kind, search or None, search, _SHOWN),
            )
            return {"kinds": kinds, "data": [json.loads(row["body"]) for row in rows]}

    def show(self, body: JsonObject, identifier: str) -> JsonObject:
        """Return one object, the account that holds it, the events about it and what is still to come for it."""
        with self._storage.read() as connection:
            objects = Objects.around(connection, identifier)
            work, found = self._work(objects), objects.find(identifier)
            if found is None:
                raise no_such("object", identifier, param="id", in_path=True)
            about = objects.select(
                "event", [("json_extract(body, '$.data.object.id') = ?", (identifier,))], limit=_SHOWN
            )
            return {
                "account": work.account,
                "object": present(work, found),
                "events": about,
                "later": later.waiting(connection, target=identifier),
            }

    def later(self, body: JsonObject) -> JsonObject:
        """Return what is still to come by itself."""
        with self._storage.read() as connection:
            return {"data": later.waiting(connection)}

    def run_later(self, body: JsonObject) -> JsonObject:
        """Do now what would come later, all of it or what concerns one object."""
        target = body.get("target")
        if target is not None and not isinstance(target, str):
            raise InvalidRequest("target must be the id of an object.", param="target")
        with self._storage.write() as connection:
            return {"done": outcomes.run(self._work(Objects(connection)), target=target)}

    def dispute(self, body: JsonObject, charge: str) -> JsonObject:
        """Begin a dispute over a charge, as a cardholder's bank would."""
        reason, inquiry = body.get("reason", "fraudulent"), _flag(body, "inquiry")
        if reason not in _REASONS:
            raise InvalidRequest(f"reason must be one of {', '.join(_REASONS)}.", param="reason")
        with self._storage.write() as connection:
            work = self._work(Objects.around(connection, charge))
            found = work.require("charge", charge, param="charge", in_path=True)
            if found["disputed"] or not found["captured"] or not found["paid"] or found["refunded"]:
                raise InvalidRequest("Only a paid charge that is not disputed yet can be disputed.", param="charge")
            begun: JsonObject = present(work, disputes.begin(work, found, reason=reason, inquiry=inquiry))
            return begun

    def decide(self, body: JsonObject, dispute: str) -> JsonObject:
        """End a dispute as the bank would."""
        won = _flag(body, "won")
        with self._storage.write() as connection:
            work = self._work(Objects.around(connection, dispute))
            found = work.require(disputes.KIND, dispute, param="dispute", in_path=True)
            if found["status"] in ("won", "lost", "warning_closed"):
                raise InvalidRequest(f"The dispute is {found['status']} already.", param="dispute")
            ended: JsonObject = present(work, disputes.close(work, found, won=won))
            return ended

    def advance(self, body: JsonObject, clock: str) -> JsonObject:
        """Move a test clock by `seconds`, or to `frozen_time`; all that falls due happens."""
        with self._storage.write() as connection:
            work = self._work(Objects.around(connection, clock))
            found = work.require(clocks.KIND, clock, param="clock", in_path=True)
            target = body.get("frozen_time", found["frozen_time"] + _whole(body.get("seconds", 0), "seconds"))
            fields = {"frozen_time": str(_whole(target, "frozen_time"))}
            ask(work, "POST", f"/v1/test_helpers/test_clocks/{clock}/advance", fields)
            return work.require(clocks.KIND, clock, param="clock")

    def _work(self, objects: Objects) -> Work:
        return Work(objects, int(time.time()), self._configuration.base_url)


def _whole(value: object, name: str) -> int:
    if type(value) is not int:
        raise InvalidRequest(f"{name} must be a whole number of seconds.", param=name)
    return value


def _flag(body: JsonObject, name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false.", param=name)
    return value

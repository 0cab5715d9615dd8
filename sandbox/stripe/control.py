"""The control API under `/_sandbox/`: what tests and demonstrations do to the sandbox itself."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.stripe import checkout, payment_methods
from sandbox.stripe.billing_control import BillingControl
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import ACCOUNT_ID, API_VERSION, Configuration
from sandbox.stripe.delivery import held
from sandbox.stripe.delivery_control import DeliveryControl
from sandbox.stripe.errors import InvalidRequest, NotFound, StripeError
from sandbox.stripe.events import with_pending
from sandbox.stripe.faults import LONGEST_WAIT, Fault, Faults
from sandbox.stripe.object_control import ObjectControl
from sandbox.stripe.objects import Objects
from sandbox.stripe.resources.webhook_endpoints import new_endpoint
from sandbox.stripe.serialization import encoded, present
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage
from sandbox.stripe.usage import Usage

_STATUSES = (429, 500, 502, 503, 504)
_STATES = ("pending", "delivered", "failed", "dropped")


class Control:
    """Answers control requests, JSON in and out, errors in Stripe's form."""

    def __init__(self, configuration: Configuration, storage: Storage, faults: Faults, usage: Usage) -> None:
        self._configuration = configuration
        self._usage = usage
        self._storage = storage
        self._faults = faults
        deliveries, objects = DeliveryControl(storage), ObjectControl(configuration, storage)
        billing = BillingControl(configuration, storage)
        rules: list[tuple[str, str, Callable[..., JsonObject]]] = [
            ("GET", "/_sandbox/health", self._health),
            ("PUT", "/_sandbox/billing", billing.settings),
            ("POST", "/_sandbox/customers/<customer>/discount", billing.discount_customer),
            ("POST", "/_sandbox/reset", self._reset),
            ("POST", "/_sandbox/checkout/sessions/<session>/complete", self._complete),
            ("GET", "/_sandbox/events", self._events),
            ("POST", "/_sandbox/events/<event>/resend", deliveries.resend),
            ("GET", "/_sandbox/deliveries", deliveries.show),
            ("POST", "/_sandbox/deliveries/hold", deliveries.hold),
            ("POST", "/_sandbox/deliveries/release", deliveries.release),
            ("POST", "/_sandbox/deliveries/<delivery>/<action>", deliveries.act),
            ("GET", "/_sandbox/disturbances", deliveries.disturbances),
            ("POST", "/_sandbox/disturbances", deliveries.disturb),
            ("DELETE", "/_sandbox/disturbances", deliveries.undisturb),
            ("GET", "/_sandbox/objects", objects.browse),
            ("GET", "/_sandbox/objects/<identifier>", objects.show),
            ("GET", "/_sandbox/later", objects.later),
            ("POST", "/_sandbox/later/run", objects.run_later),
            ("POST", "/_sandbox/charges/<charge>/dispute", objects.dispute),
            ("POST", "/_sandbox/disputes/<dispute>/decide", objects.decide),
            ("POST", "/_sandbox/test_clocks/<clock>/advance", objects.advance),
            ("GET", "/_sandbox/coverage", self._coverage),
            ("PUT", "/_sandbox/webhook_endpoints", self._put_endpoint),
            ("POST", "/_sandbox/webhook_endpoints/<endpoint>/roll", deliveries.roll_secret),
            ("GET", "/_sandbox/faults", self._list_faults),
            ("POST", "/_sandbox/faults", self._add_fault),
            ("DELETE", "/_sandbox/faults", self._clear_faults),
        ]
        self._map = Map([Rule(path, endpoint=answer, methods=[method]) for method, path, answer in rules])

    def answer(self, request: Request) -> Response:
        """Return the answer to a control request."""
        try:
            asked = dict(request.args.items()) if request.method == "GET" else _json_body(request)
            body, status = self.perform(request.method, request.path, asked), 200
        except StripeError as error:
            body, status = {"error": error.body()}, error.status
        return Response(encoded(body), status=status, content_type="application/json")

    def perform(self, method: str, path: str, body: JsonObject) -> JsonObject:
        """Do what a control request asks for; return its answer.

        Raises: StripeError.
        """
        try:
            answer, names = self._map.bind("sandbox").match(path, method=method)
        except HTTPException:
            raise NotFound(f"No such control: {method} {path}") from None
        result: JsonObject = answer(body, **names)
        return result

    def _work(self, connection: sqlite3.Connection, about: str = "") -> Work:
        """Return work on the platform's objects, or on those of the account that holds `about`."""
        return Work(Objects.around(connection, about), int(time.time()), self._configuration.base_url)

    def _health(self, body: JsonObject) -> JsonObject:
        with self._storage.read() as connection:
            counts = dict.fromkeys(_STATES, 0) | {
                row["state"]: row["number"]
                for row in connection.execute("SELECT state, count(*) AS number FROM delivery GROUP BY state")
            }
            return {
                "status": "ok",
                "account": ACCOUNT_ID,
                "api_version": API_VERSION,
                "deliveries": counts,
                "deliveries_held": held(connection),
                "faults": len(self._faults.listed()),
                "waiting": self._faults.waiting,
            }

    def _coverage(self, body: JsonObject) -> JsonObject:
        """Return every endpoint that is served with how often it was called since the start."""
        return {"data": self._usage.counted()}

    def _reset(self, body: JsonObject) -> JsonObject:
        keep = _flag(body, "keep_webhook_endpoints", default=False)
        kept = "kind = 'webhook_endpoint'" if keep else "0"
        with self._storage.write() as connection:
            for statement in (
                f"DELETE FROM object WHERE NOT ({kept})",
                "DELETE FROM delivery",
                "DELETE FROM idempotency",
                "DELETE FROM switch",
                "DELETE FROM later",
                "DELETE FROM disturbance",
            ):
                connection.execute(statement)
        self._faults.clear()
        return {"reset": True}

    def _complete(self, body: JsonObject, session: str) -> JsonObject:
        """Pay a session as a customer would; a card that refuses answers 402 and leaves it open."""
        method_id = body.get("payment_method", "pm_card_visa")
        if not isinstance(method_id, str):
            raise InvalidRequest("payment_method must be a string such as pm_card_visa.", param="payment_method")
        passes = body.get("authentication", "complete")
        if passes not in ("complete", "fail"):
            raise InvalidRequest("authentication must be complete or fail.", param="authentication")
        payer = {name: body[name] for name in ("email", "name") if isinstance(body.get(name), str)}
        refused: StripeError | None = None
        answer: JsonObject = {}
        with self._storage.write() as connection:
            work = self._work(connection, session)
            try:
                answer = present(work, self._pay(work, session, method_id, payer, passed=passes == "complete"))
            except StripeError as error:
                if not error.keeps_changes:
                    raise
                refused = error
        if refused is not None:
            raise refused
        return answer

    def _pay(self, work: Work, session_id: str, method_id: str, payer: JsonObject, *, passed: bool) -> JsonObject:
        session = work.require(checkout.KIND, session_id, param="session", in_path=True)
        checkout.require_open(work, session)
        method = payment_methods.usable(work, method_id, param="payment_method")
        known = session["customer_details"] or {}
        payer.setdefault("email", known.get("email") or "customer@example.com")
        payer.setdefault("name", known.get("name") or "Sandbox Customer")
        session = checkout.submit(work, session, method, payer)
        intent = checkout.intent_to_authenticate(work, session)
        if intent is None:
            return session
        return checkout.finish_challenge(work, session, intent, passed=passed)

    def _events(self, body: JsonObject) -> JsonObject:
        with self._storage.read() as connection:
            objects = Objects(connection)
            return {"data": [with_pending(objects, event) for event in objects.select("event", limit=100)]}

    def _put_endpoint(self, body: JsonObject) -> JsonObject:
        """Have exactly one endpoint for an address; return it with its secret, kept or as given."""
        url, secret, wanted = body.get("url"), body.get("secret"), body.get("enabled_events", ["*"])
        connect = _flag(body, "connect", default=False)
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise InvalidRequest("url must be an http or https address.", param="url")
        if secret is not None and (not isinstance(secret, str) or not secret.startswith("whsec_")):
            raise InvalidRequest("secret must begin with whsec_.", param="secret")
        if not isinstance(wanted, list) or not wanted or not all(isinstance(name, str) for name in wanted):
            raise InvalidRequest("enabled_events must be a list of event types.", param="enabled_events")
        with self._storage.write() as connection:
            work = self._work(connection)
            same = [item for item in work.objects.select("webhook_endpoint", ascending=True) if item["url"] == url]
            for surplus in same[1:]:
                work.objects.delete(surplus["id"])
            if not same:
                given = {"url": url, "enabled_events": wanted, "connect": connect}
                return new_endpoint(work, given, secret=secret)
            endpoint = same[0] | {"enabled_events": wanted, "status": "enabled"}
            work.objects.replace(endpoint)
            work.objects.hide(endpoint["id"], connect=connect, **({"secret": secret} if secret else {}))
            return endpoint | {"secret": work.objects.hidden(endpoint["id"])["secret"]}

    def _list_faults(self, body: JsonObject) -> JsonObject:
        return {"data": self._faults.listed()}

    def _add_fault(self, body: JsonObject) -> JsonObject:
        status, count = body.get("status"), body.get("count", 1)
        path, method, when = body.get("path", "/v1/"), body.get("method"), body.get("when", "before")
        seconds = body.get("seconds", 60)
        if status not in (*_STATUSES, "timeout"):
            raise InvalidRequest(f"status must be timeout or one of {_STATUSES}.", param="status")
        if type(count) is not int or not 1 <= count <= 10_000:
            raise InvalidRequest("count must be between 1 and 10000.", param="count")
        if not isinstance(path, str) or not (method is None or isinstance(method, str)):
            raise InvalidRequest("path and method must be strings.", param="path")
        if when not in ("before", "after"):
            raise InvalidRequest("when must be before or after.", param="when")
        if type(seconds) not in (int, float) or not 0 < seconds <= LONGEST_WAIT:
            raise InvalidRequest(f"seconds must be at most {LONGEST_WAIT:g}.", param="seconds")
        fault = Fault(count, None if status == "timeout" else int(status), path, method, float(seconds), when)
        self._faults.add(fault)
        return {"data": self._faults.listed()}

    def _clear_faults(self, body: JsonObject) -> JsonObject:
        self._faults.clear()
        return {"data": []}


def _json_body(request: Request) -> JsonObject:
    try:
        text = request.get_data(as_text=True)
    except (RequestEntityTooLarge, UnicodeDecodeError):
        raise InvalidRequest("The body is too large or not UTF-8 text.") from None
    if not text:
        return {}
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest("The body is not valid JSON, or nested too deeply.") from None
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return body


def _flag(body: JsonObject, name: str, *, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false.", param=name)
    return value

"""The API under `/v1/`: from request to answer."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.stripe.authentication import authenticate
from sandbox.stripe.calls import Call
from sandbox.stripe.configuration import ACCOUNT_ID, API_VERSION, Configuration
from sandbox.stripe.errors import ApiError, Forbidden, InvalidRequest, NotFound, StripeError, TooLarge
from sandbox.stripe.expansion import expand
from sandbox.stripe.faults import Faults
from sandbox.stripe.forms import Raw, decode
from sandbox.stripe.idempotency import InFlight, Key, Saved, key_of, recall, remember
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Objects
from sandbox.stripe.resources import ROUTES
from sandbox.stripe.resources.accounts import accessible
from sandbox.stripe.routing import Route
from sandbox.stripe.serialization import encoded, present
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage
from sandbox.stripe.usage import Usage

log = logging.getLogger("sandbox.stripe")

_LIVE = re.compile(r"(cs|pk|rk|sk)_live_")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?")


@dataclass(frozen=True)
class _Asked:
    """A request that was understood: who answers it, with what."""

    route: Route
    path: dict[str, str]
    raw: dict[str, Raw]
    key: Key | None
    request_id: str
    account: str


class Api:
    """Answers API requests."""

    def __init__(self, configuration: Configuration, storage: Storage, faults: Faults, usage: Usage) -> None:
        self._usage = usage
        self._configuration = configuration
        self._storage = storage
        self._faults = faults
        self._in_flight = InFlight()
        self._map = Map(
            [Rule(route.path, endpoint=route, methods=[route.method]) for route in ROUTES],
            strict_slashes=False,
            merge_slashes=False,
        )

    def answer(self, request: Request) -> Response:
        """Return the answer to a request, be it success or an error in Stripe's form."""
        request_id = new_id("req_")
        try:
            authenticate(request)
            asked = self._understand(request, request_id)
            with self._in_flight.claim(asked.key), self._faults.around(request.method, request.path):
                response = self._execute(asked)
        except StripeError as error:
            response = _response(error.status, encoded(_error_body(error, request_id)))
        except Exception:
            log.exception("%s %s failed (%s)", request.method, request.path, request_id)
            failure = ApiError("The sandbox itself failed; its log has the traceback.")
            response = _response(failure.status, encoded(_error_body(failure, request_id)))
        response.headers.setdefault("Request-Id", request_id)
        response.headers["Stripe-Version"] = API_VERSION
        for name in ("Idempotency-Key", "Stripe-Account"):
            if name in request.headers:
                response.headers[name] = request.headers[name]
        return response

    def _understand(self, request: Request, request_id: str) -> _Asked:
        version = request.headers.get("Stripe-Version")
        if version is not None and _VERSION.fullmatch(version) is None:
            raise InvalidRequest(f"Invalid Stripe API version: {version[:40]}")
        try:
            route, path = self._map.bind_to_environ(request.environ).match()
        except HTTPException:
            raise NotFound(
                f"Unrecognized request URL ({request.method}: {request.path}). The sandbox's README lists what is"
                " served."
            ) from None
        self._usage.note(route)
        fields = list(request.args.items(multi=True))
        if request.method == "POST":
            if request.mimetype == "application/json":
                raise InvalidRequest("Request bodies are form-encoded, not JSON.")
            try:
                fields += list(request.form.items(multi=True))
            except RequestEntityTooLarge:
                raise TooLarge("The request body is too large.") from None
        if any(_LIVE.match(text) for text in (*request.path.split("/"), *(value for _, value in fields))):
            raise Forbidden(
                "This is a sandbox and a live mode object or key was named. Nothing of live mode is known here.",
                code="livemode_mismatch",
            )
        raw = decode(fields)
        account = request.headers.get("Stripe-Account", ACCOUNT_ID)
        key = key_of(request.headers.get("Idempotency-Key"), request.method, request.path, raw, account)
        return _Asked(route, dict(path), raw, key, request_id, account)

    def _execute(self, asked: _Asked) -> Response:
        params = asked.route.parameters.parse(asked.raw, "") or {}
        if not asked.route.writes:
            with self._storage.read() as connection:
                objects = accessible(Objects(connection), asked.account)
                return _response(200, encoded(self._run(asked, params, objects)))
        with self._storage.write() as connection:
            objects = accessible(Objects(connection), asked.account)
            if asked.key is not None:
                saved = recall(connection, asked.key)
                if saved is not None:
                    return _replayed(saved)
            answer = self._attempt(asked, params, objects)
            if asked.key is not None:
                remember(connection, asked.key, answer)
            return _response(answer.status, answer.body)

    def _attempt(self, asked: _Asked, params: JsonObject, objects: Objects) -> Saved:
        """Do the work; an error takes back what was written unless the error is itself a fact to keep."""
        objects.connection.execute("SAVEPOINT attempt")
        try:
            body = self._run(asked, params, objects)
        except StripeError as error:
            if not error.executed:
                raise
            if not error.keeps_changes:
                objects.connection.execute("ROLLBACK TO attempt")
            return Saved(error.status, encoded(_error_body(error, asked.request_id)), asked.request_id)
        return Saved(200, encoded(body), asked.request_id)

    def _run(self, asked: _Asked, params: JsonObject, objects: Objects) -> JsonObject:
        call = Call(
            objects=objects,
            now=int(time.time()),
            base_url=self._configuration.base_url,
            request_id=asked.request_id,
            idempotency_key=asked.key.value if asked.key else None,
            params=params,
            path=asked.path,
        )
        answer = expand(call, asked.route.answer(call), params.get("expand", []))
        presented: JsonObject = present(call, answer)
        return presented


def _error_body(error: StripeError, request_id: str) -> JsonObject:
    log_url = f"https://dashboard.stripe.com/test/logs/{request_id}?t={int(time.time())}"
    return {"error": error.body() | {"request_log_url": log_url}}


def _response(status: int, body: str) -> Response:
    return Response(body, status=status, content_type="application/json")


def _replayed(saved: Saved) -> Response:
    response = _response(saved.status, saved.body)
    response.headers["Idempotent-Replayed"] = "true"
    response.headers["Original-Request"] = saved.request_id
    response.headers["Request-Id"] = saved.request_id
    return response

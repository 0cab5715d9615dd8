"""The 3-D Secure challenge: what a bank would ask its customer."""

from __future__ import annotations

import hmac
import time
from urllib.parse import urlencode, urlsplit, urlunsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.stripe import checkout, portal_actions, setups
from sandbox.stripe.billing import collection
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.errors import StripeError
from sandbox.stripe.objects import Objects
from sandbox.stripe.pages.checkout_page import return_address
from sandbox.stripe.pages.rendering import message, page
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage


class ChallengePage:
    """Asks, and goes on with the answer."""

    def __init__(self, configuration: Configuration, storage: Storage) -> None:
        self._configuration = configuration
        self._storage = storage

    def show(self, request: Request, intent: str) -> Response:
        """Return the page with the two buttons."""
        with self._storage.read() as connection:
            work = Work(Objects.around(connection, intent), int(time.time()), self._configuration.base_url)
            found = _found(work, request, intent)
            if found is None:
                return _unknown()
            if found["status"] != "requires_action":
                return _nothing_to_do()
            method = work.require("payment_method", found["payment_method"], param="payment_method")
            return page("challenge.html", intent=found, card=method["card"])

    def decide(self, request: Request, intent: str) -> Response:
        """Go on with the payment as the customer's answer says."""
        with self._storage.write() as connection:
            work = Work(Objects.around(connection, intent), int(time.time()), self._configuration.base_url)
            found = _found(work, request, intent)
            if found is None:
                return _unknown()
            if found["status"] != "requires_action":
                return _nothing_to_do()
            passed = request.form.get("answer") == "complete"
            session_id = work.objects.hidden(intent).get("session")
            if session_id is not None:
                return _finish_session(work, session_id, found, passed=passed)
            return _finish_intent(work, found, passed=passed)


def _finish_session(work: Work, session_id: str, intent: JsonObject, *, passed: bool) -> Response:
    session = work.require(checkout.KIND, session_id, param="session")
    try:
        session = checkout.finish_challenge(work, session, intent, passed=passed)
    except StripeError:
        # The payment page says why: the session knows.
        return redirect(checkout.page_url(work, session_id), code=303)
    if session["status"] == "complete":
        return redirect(return_address(session["success_url"], session_id), code=303)
    return redirect(checkout.page_url(work, session_id), code=303)


def _finish_intent(work: Work, intent: JsonObject, *, passed: bool) -> Response:
    return_url, kind = work.objects.hidden(intent["id"]).get("return_url"), intent["object"]
    try:
        finish = setups.finish_challenge if kind == setups.KIND else collection.finish_challenge
        intent = finish(work, intent, passed=passed)
        outcome = "succeeded" if intent["status"] in ("succeeded", "requires_capture") else "failed"
        if outcome == "succeeded" and work.objects.hidden(intent["id"]).get("portal"):
            portal_actions.make_default(work, intent["customer"], intent["payment_method"])
    except StripeError:
        outcome = "failed"
    if return_url is None:
        if outcome == "succeeded":
            return message("Confirmed", "Your bank has confirmed the payment. You can close this page.", tone="good")
        return message("Not confirmed", "The payment was not confirmed. You can close this page.", tone="bad")
    parts = urlsplit(return_url)
    told = urlencode(
        {
            kind: intent["id"],
            f"{kind}_client_secret": intent["client_secret"],
            "redirect_status": outcome,
        }
    )
    return redirect(urlunsplit(parts._replace(query=f"{parts.query}&{told}" if parts.query else told)), code=303)


def _found(work: Work, request: Request, intent_id: str) -> JsonObject | None:
    intent = work.objects.get("payment_intent", intent_id) or work.objects.get(setups.KIND, intent_id)
    if intent is None or not hmac.compare_digest(
        request.values.get("client_secret", "").encode(), intent["client_secret"].encode()
    ):
        return None
    return intent


def _unknown() -> Response:
    return message(
        "No such confirmation", "The address is incomplete, or the sandbox was reset.", status=404, tone="bad"
    )


def _nothing_to_do() -> Response:
    return message("Nothing to confirm", "This payment does not wait for a confirmation any more.", status=409)

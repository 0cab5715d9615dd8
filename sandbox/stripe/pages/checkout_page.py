"""The hosted payment page of a checkout session."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from urllib.parse import quote

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.stripe import checkout
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.errors import CardError, StripeError
from sandbox.stripe.objects import Objects, owned_by
from sandbox.stripe.pages.rendering import message, page
from sandbox.stripe.payments import AUTHENTICATION_FAILURE, challenge_url
from sandbox.stripe.resources import payment_methods
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage

_EXPIRY = re.compile(r"\s*(\d{1,2})\s*[/ -]?\s*(\d{4}|\d{2})\s*")

_FIELD_OF_CODE = {
    "incorrect_number": "card_number",
    "invalid_expiry_year": "expiry",
    "invalid_expiry_month": "expiry",
    "invalid_cvc": "cvc",
    "incorrect_cvc": "cvc",
    "expired_card": "expiry",
}

_NOT_CONFIRMED = "Your bank could not confirm that it was you. Try again or use another card."

SHOWN_CARDS = (
    ("4242 4242 4242 4242", "Pays"),
    ("4000 0025 0000 3155", "Asks for 3-D Secure"),
    ("4000 0000 0000 0002", "Is declined"),
    ("4000 0000 0000 9995", "Has insufficient funds"),
    ("4000 0000 0000 0069", "Has expired"),
    ("4000 0000 0000 0127", "Has another CVC"),
)
"""The test cards which the page offers, with what they do."""


@dataclass
class _Form:
    """What the customer typed and what is wrong with it; card data are never sent back."""

    email: str = ""
    name: str = ""
    problem: str | None = None
    wrong: str | None = None
    number: str = field(default="", repr=False)
    expiry: str = field(default="", repr=False)
    cvc: str = field(default="", repr=False)


class CheckoutPage:
    """Shows a session to the customer and takes the payment."""

    def __init__(self, configuration: Configuration, storage: Storage) -> None:
        self._configuration = configuration
        self._storage = storage

    def show(self, request: Request, session: str) -> Response:
        """Return the page for the session as it stands."""
        with self._storage.read() as connection:
            work = Work(Objects.around(connection, session), int(time.time()), self._configuration.base_url)
            found = work.objects.get(checkout.KIND, session)
            if found is None:
                return _unknown()
            form = _Form(email=(found["customer_details"] or {}).get("email") or "")
            self._note_last_failure(work, found, form)
            return self._page(work, found, form)

    def submit(self, request: Request, session: str) -> Response:
        """Take the card, pay and lead on: to the merchant, to 3-D Secure, or back with what is wrong."""
        form = _read(request)
        with self._storage.write() as connection:
            work = Work(Objects.around(connection, session), int(time.time()), self._configuration.base_url)
            found = work.objects.get(checkout.KIND, session)
            if found is None:
                return _unknown()
            try:
                paid = self._pay(work, found, form)
            except checkout.SessionNotOpen:
                return self._page(work, work.require(checkout.KIND, session, param="session"), form)
            except StripeError as error:
                # A refused card is a fact and stays; anything else has written nothing of weight.
                form.problem = error.message
                form.wrong = _FIELD_OF_CODE.get(error.code or "", "card_number")
                status = 402 if isinstance(error, CardError) else 422
                return self._page(work, work.require(checkout.KIND, session, param="session"), form, status=status)
            if paid is None:
                return self._page(work, found, form, status=422)
            if paid["status"] == "complete":
                return redirect(return_address(paid["success_url"], session), code=303)
            intent = work.require("payment_intent", paid["payment_intent"], param="payment_intent")
            return redirect(challenge_url(work, intent), code=303)

    def _pay(self, work: Work, session: JsonObject, form: _Form) -> JsonObject | None:
        """Return the session after the attempt, or None when the form itself is incomplete."""
        checkout.require_open(work, session)
        payer = {"email": form.email, "name": form.name}
        if re.fullmatch(r"[^@\s]+@[^@\s]+", form.email) is None:
            form.problem, form.wrong = "Enter an e-mail address for the receipt.", "email"
            return None
        if session["amount_total"] == 0:
            return checkout.submit(work, session, None, payer)
        expiry = _EXPIRY.fullmatch(form.expiry)
        if expiry is None or not 1 <= int(expiry[1]) <= 12:
            form.problem, form.wrong = "Enter the card's expiry date as month / year.", "expiry"
            return None
        if not form.cvc:
            form.problem, form.wrong = "Enter the card's security code.", "cvc"
            return None
        month, year = int(expiry[1]), payment_methods.full_year(int(expiry[2]))
        card = payment_methods.checked_card(work, form.number, month, year, form.cvc)
        method = payment_methods.new_payment_method(work, card, {"billing_details": payer}, month=month, year=year)
        return checkout.submit(work, session, method, payer)

    def _note_last_failure(self, work: Work, session: JsonObject, form: _Form) -> None:
        """Say why the last attempt failed to a customer who comes back from the bank."""
        if session["payment_intent"] is None or session["status"] != "open":
            return
        intent = work.require("payment_intent", session["payment_intent"], param="payment_intent")
        failure = intent["last_payment_error"]
        if failure is not None:
            asked = failure["code"] == AUTHENTICATION_FAILURE
            form.problem = _NOT_CONFIRMED if asked else failure["message"]
            form.wrong = "card_number"

    def _page(self, work: Work, session: JsonObject, form: _Form, *, status: int = 200) -> Response:
        if session["status"] == "complete":
            back = return_address(session["success_url"], session["id"])
            return message(
                "Payment complete",
                "This payment has been made. Nothing more is due here.",
                tone="good",
                link=(back, "Continue"),
            )
        if session["status"] == "expired" or session["expires_at"] <= work.now:
            link = (session["cancel_url"], "Back to the shop") if session["cancel_url"] else None
            return message(
                "This payment page has expired",
                "No money was taken. Ask for a new payment link and try again.",
                status=410,
                tone="bad",
                link=link,
            )
        lines = work.objects.select("item", [owned_by(session["id"])], ascending=True)
        return page("checkout.html", status=status, session=session, lines=lines, form=form, cards=SHOWN_CARDS)


def return_address(template: str, session_id: str) -> str:
    """Return the merchant's address with the session's id put in its place."""
    return template.replace("{CHECKOUT_SESSION_ID}", quote(session_id))


def _read(request: Request) -> _Form:
    def given(name: str) -> str:
        return request.form.get(name, "").strip()[:200]

    return _Form(
        email=given("email"),
        name=given("name"),
        number=given("card_number"),
        expiry=given("expiry"),
        cvc=given("cvc"),
    )


def _unknown() -> Response:
    return message(
        "No such payment page", "The address is incomplete, or the sandbox was reset.", status=404, tone="bad"
    )

"""The hosted payment page of a checkout session."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.stripe import checkout, payment_methods, payments, setups
from sandbox.stripe.billing import subscribing
from sandbox.stripe.billing.subscription_body import trial_end_of
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.errors import CardError, StripeError
from sandbox.stripe.objects import Objects, owned_by
from sandbox.stripe.pages.card_form import FIELD_OF_CODE, SHOWN_ACCOUNTS, SHOWN_CARDS, CardForm, read_card
from sandbox.stripe.pages.rendering import message, page
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage

_NOT_CONFIRMED = "Your bank could not confirm that it was you. Try again or use another card."


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
            form = CardForm(email=(found["customer_details"] or {}).get("email") or "")
            self._note_last_failure(work, found, form)
            return self._page(work, found, form)

    def submit(self, request: Request, session: str) -> Response:
        """Take the card, pay and lead on: to the merchant, to 3-D Secure, or back with what is wrong."""
        form = read_card(request)
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
                form.wrong = FIELD_OF_CODE.get(error.code or "", "card_number")
                status = 402 if isinstance(error, CardError) else 422
                return self._page(work, work.require(checkout.KIND, session, param="session"), form, status=status)
            if paid is None:
                return self._page(work, found, form, status=422)
            if paid["status"] == "complete":
                return redirect(return_address(paid["success_url"], session), code=303)
            intent = checkout.intent_to_authenticate(work, paid)
            if intent is None:
                return self._page(work, paid, form, status=422)
            return redirect(setups.challenge_url(work, intent), code=303)

    def apply_code(self, request: Request, session: str) -> Response:
        """Apply the promotion code that was typed and show the new total."""
        form = read_card(request)
        with self._storage.write() as connection:
            work = Work(Objects.around(connection, session), int(time.time()), self._configuration.base_url)
            found = work.objects.get(checkout.KIND, session)
            if found is None:
                return _unknown()
            try:
                checkout.require_open(work, found)
                subscribing.apply_code(work, found, form.code)
            except StripeError as error:
                form.problem, form.wrong = error.message, "promotion_code"
                again = work.require(checkout.KIND, session, param="session")
                return self._page(work, again, form, status=422)
            return redirect(checkout.page_url(work, session), code=303)

    def _pay(self, work: Work, session: JsonObject, form: CardForm) -> JsonObject | None:
        """Return the session after the attempt, or None when the form itself is incomplete."""
        checkout.require_open(work, session)
        payer = {"email": form.email, "name": form.name}
        if re.fullmatch(r"[^@\s]+@[^@\s]+", form.email) is None:
            form.problem, form.wrong = "Enter an e-mail address for the receipt.", "email"
            return None
        if not _asks(session):
            return checkout.submit(work, session, None, payer)
        method = _method(work, form, payer)
        return None if method is None else checkout.submit(work, session, method, payer)

    def _note_last_failure(self, work: Work, session: JsonObject, form: CardForm) -> None:
        """Say why the last attempt failed to a customer who comes back from the bank."""
        if session["status"] != "open":
            return
        failure = None
        for kind, member in (("payment_intent", "last_payment_error"), (setups.KIND, "last_setup_error")):
            if session[kind] is not None:
                failure = work.require(kind, session[kind], param=kind)[member]
        if failure is not None:
            asked = failure["code"] in (payments.AUTHENTICATION_FAILURE, setups.AUTHENTICATION_FAILURE)
            form.problem = _NOT_CONFIRMED if asked else failure["message"]
            form.wrong = "card_number"

    def _page(self, work: Work, session: JsonObject, form: CardForm, *, status: int = 200) -> Response:
        if session["status"] == "complete":
            back = return_address(session["success_url"], session["id"])
            return message(
                "Card kept" if session["mode"] == "setup" else "Payment complete",
                "Nothing more is due here.",
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
        return page(
            "checkout.html",
            status=status,
            session=session,
            lines=lines,
            form=form,
            asks=_asks(session),
            trial_end=_trial_end(work, session),
            cards=SHOWN_CARDS,
            accounts=SHOWN_ACCOUNTS,
        )


def _trial_end(work: Work, session: JsonObject) -> int | None:
    """Return until when the subscription that the session begins is free, in seconds."""
    if session["mode"] != "subscription":
        return None
    return trial_end_of(work, work.objects.hidden(session["id"]).get("subscription_data", {}))


def _asks(session: JsonObject) -> bool:
    if session["mode"] == "subscription":
        return subscribing.asks_for_method(session)
    return bool(session["mode"] == "setup" or session["amount_total"])


def _method(work: Work, form: CardForm, payer: JsonObject) -> JsonObject | None:
    """Return the payment method that was typed, or None when the form itself is incomplete."""
    if form.iban:
        return payment_methods.from_iban(
            work, form.iban, {"billing_details": {**payer, "name": form.name or form.email}}
        )
    card = form.checked(work)
    if card is None:
        return None
    given = {"billing_details": payer}
    return payment_methods.new_payment_method(work, card, given, month=form.month, year=form.year)


def return_address(template: str, session_id: str) -> str:
    """Return the merchant's address with the session's id put in its place."""
    return template.replace("{CHECKOUT_SESSION_ID}", quote(session_id))


def _unknown() -> Response:
    return message(
        "No such payment page", "The address is incomplete, or the sandbox was reset.", status=404, tone="bad"
    )

"""The hosted customer portal: card, plan, quantity, cancellation, billing details and invoices."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.stripe import payment_methods, portal_actions, portals, setups
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.errors import InvalidRequest, StripeError
from sandbox.stripe.inside import ask
from sandbox.stripe.objects import Objects, equals
from sandbox.stripe.pages.card_form import SHOWN_CARDS, CardForm, read_card
from sandbox.stripe.pages.rendering import message, page
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage

_ENDED = ("canceled", "incomplete_expired")
_DONE = {
    "card": "The card was added and will be used for your next payments.",
    "default": "Your next payments will use this card.",
    "remove": "The card was removed.",
    "details": "Your details were saved.",
    "change": "Your subscription was changed.",
    "cancel": "Your subscription was canceled.",
    "keep": "Your subscription goes on.",
}


@dataclass(frozen=True)
class _Visit:
    """A customer on the portal."""

    work: Work
    session: JsonObject
    configuration: JsonObject
    customer: JsonObject
    request: Request

    @property
    def features(self) -> JsonObject:
        """What the configuration lets the customer do."""
        found: JsonObject = self.configuration["features"]
        return found

    def given(self, name: str) -> str:
        """What was typed into a field, blanks around it apart."""
        return self.request.form.get(name, "").strip()[:500]

    def allow(self, feature: str) -> None:
        """Raise InvalidRequest unless the feature is on."""
        if not self.features[feature]["enabled"]:
            raise InvalidRequest("This is not possible here.")

    def subscription(self) -> JsonObject:
        """The customer's subscription that the form names.

        Raises: InvalidRequest `resource_missing`.
        """
        found = self.work.require("subscription", self.given("subscription"), param="subscription")
        if found["customer"] != self.customer["id"]:
            raise InvalidRequest("This subscription is another customer's.", param="subscription")
        return found

    def method(self) -> JsonObject:
        """The customer's card that the form names.

        Raises: InvalidRequest `resource_missing`.
        """
        return payment_methods.require_attached(
            self.work, self.given("payment_method"), self.customer["id"], param="payment_method"
        )


class PortalPage:
    """Shows a portal session to the customer and does what is asked on it."""

    def __init__(self, configuration: Configuration, storage: Storage) -> None:
        self._configuration = configuration
        self._storage = storage
        self._actions: dict[str, Callable[[_Visit], str | None]] = {
            "card": _add_card,
            "default": _choose_card,
            "remove": _remove_card,
            "details": _save_details,
            "change": _change,
            "cancel": _cancel,
            "keep": _keep,
        }

    def show(self, request: Request, session: str) -> Response:
        """Return the page for the customer as things stand."""
        with self._storage.read() as connection:
            visit = self._visit(Objects.around(connection, session), request, session)
            if isinstance(visit, Response):
                return visit
            return _page(visit, notice=_DONE.get(request.args.get("done", "")))

    def act(self, request: Request, session: str, action: str) -> Response:
        """Do one thing and lead on: back to the page, to the bank, or where the flow ends."""
        with self._storage.write() as connection:
            visit = self._visit(Objects.around(connection, session), request, session)
            if isinstance(visit, Response):
                return visit
            connection.execute("SAVEPOINT act")
            try:
                if action not in self._actions:
                    raise InvalidRequest("The portal has no such action.")
                onward = self._actions[action](visit)
            except StripeError as error:
                if not error.keeps_changes:
                    connection.execute("ROLLBACK TO act")
                return _page(visit, problem=error.message, status=402 if error.status == 402 else 422)
            return redirect(onward or _after(visit, action), code=303)

    def _visit(self, objects: Objects, request: Request, session_id: str) -> _Visit | Response:
        work = Work(objects, int(time.time()), self._configuration.base_url)
        session = objects.get(portals.SESSION, session_id)
        customer = objects.get("customer", session["customer"]) if session else None
        if session is None or customer is None:
            return message(
                "No such page", "The address is incomplete, or the sandbox was reset.", status=404, tone="bad"
            )
        if session["created"] + portals.LIFE < work.now:
            link = (session["return_url"], "Back") if session["return_url"] else None
            return message(
                "This page has expired", "Open it again from where you came.", status=410, tone="bad", link=link
            )
        configuration = work.require(portals.CONFIGURATION, session["configuration"], param="configuration")
        return _Visit(work, session, configuration, customer, request)


def _after(visit: _Visit, action: str) -> str:
    flow = visit.session["flow"]
    ends_flow = flow and action in {
        "payment_method_update": ("card", "default"),
        "subscription_cancel": ("cancel",),
        "subscription_update": ("change",),
    }.get(flow["type"], ())
    if ends_flow and flow["after_completion"]["type"] == "redirect":
        return str(flow["after_completion"]["redirect"]["return_url"])
    return f"/p/session/{visit.session['id']}?done={action}"


def _page(visit: _Visit, *, notice: str | None = None, problem: str | None = None, status: int = 200) -> Response:
    work, customer = visit.work, visit.customer
    own = [equals("customer", customer["id"])]
    methods = work.objects.select("payment_method", own)
    subscriptions = [
        _shown(visit, subscription)
        for subscription in work.objects.select("subscription", own)
        if subscription["status"] not in _ENDED
    ]
    invoices = work.objects.select("invoice", own, limit=24) if visit.features["invoice_history"]["enabled"] else []
    return page(
        "portal.html",
        status=status,
        session=visit.session,
        flow=(visit.session["flow"] or {}).get("type"),
        configuration=visit.configuration,
        features=visit.features,
        customer=customer,
        methods=methods,
        default_method=customer["invoice_settings"]["default_payment_method"],
        subscriptions=subscriptions,
        invoices=[invoice for invoice in invoices if invoice["status"] != "draft"],
        reasons=[
            reason
            for reason in portals.REASONS
            if reason[0] in visit.features["subscription_cancel"]["cancellation_reason"]["options"]
        ],
        cards=SHOWN_CARDS,
        form=CardForm(),
        notice=notice,
        problem=problem,
    )


def _shown(visit: _Visit, subscription: JsonObject) -> JsonObject:
    item = subscription["items"]["data"][0]
    price = item["price"]
    choices = portals.prices_to_choose(visit.work, visit.configuration, subscription)
    return {
        "id": subscription["id"],
        "status": subscription["status"],
        "name": _product_name(visit.work, price),
        "price": price,
        "quantity": item.get("quantity") or 1,
        "ends": subscription["cancel_at"] or item["current_period_end"],
        "ending": subscription["cancel_at_period_end"] or subscription["cancel_at"] is not None,
        "trial_end": subscription["trial_end"] if subscription["status"] == "trialing" else None,
        "choices": [(choice, _product_name(visit.work, choice)) for choice in choices],
        "bounds": portals.quantity_bounds(visit.configuration, price),
    }


def _product_name(work: Work, price: JsonObject) -> str:
    product = work.objects.get("product", price["product"])
    return str(product["name"] if product else price["id"])


def _add_card(visit: _Visit) -> str | None:
    visit.allow("payment_method_update")
    work, form = visit.work, read_card(visit.request)
    card = form.checked(work)
    if card is None:
        raise InvalidRequest(form.problem or "Check the card.")
    billing = {"name": form.name or visit.customer["name"], "email": visit.customer["email"]}
    method = payment_methods.new_payment_method(
        work, card, {"billing_details": billing}, month=form.month, year=form.year
    )
    given = {"customer": visit.customer["id"], "payment_method_types": ["card"]}
    setup = setups.new_setup(work, given)
    work.objects.hide(setup["id"], portal=visit.session["id"])
    setup = setups.confirm(work, setup, method, return_url=_after(visit, "card"))
    if setup["status"] == "requires_action":
        return setups.challenge_url(work, setup)
    portal_actions.make_default(work, visit.customer["id"], method["id"])
    return None


def _choose_card(visit: _Visit) -> None:
    visit.allow("payment_method_update")
    portal_actions.make_default(visit.work, visit.customer["id"], visit.method()["id"])


def _remove_card(visit: _Visit) -> None:
    visit.allow("payment_method_update")
    if visit.customer["invoice_settings"]["default_payment_method"] == visit.given("payment_method"):
        raise InvalidRequest("Choose another card for your payments first.")
    payment_methods.detach(visit.work, visit.method())


def _save_details(visit: _Visit) -> None:
    visit.allow("customer_update")
    allowed = visit.features["customer_update"]["allowed_updates"]
    fields = {name: visit.given(name) for name in ("name", "email", "phone") if name in allowed}
    if "email" in fields and re.fullmatch(r"[^@\s]+@[^@\s]+", fields["email"]) is None:
        raise InvalidRequest("Enter an e-mail address.")
    if "address" in allowed:
        fields |= {
            f"address[{name}]": visit.given(name)
            for name in ("line1", "line2", "postal_code", "city", "country")
            if name in visit.request.form
        }
    ask(visit.work, "POST", f"/v1/customers/{visit.customer['id']}", fields)


def _change(visit: _Visit) -> None:
    visit.allow("subscription_update")
    subscription = visit.subscription()
    item = subscription["items"]["data"][0]
    price, quantity = visit.given("price") or None, visit.given("quantity") or None
    offered = portals.prices_to_choose(visit.work, visit.configuration, subscription)
    if price is not None and price != item["price"]["id"] and price not in {choice["id"] for choice in offered}:
        raise InvalidRequest("This plan cannot be chosen.")
    if quantity is not None:
        bounds = portals.quantity_bounds(visit.configuration, item["price"])
        if bounds is None or not re.fullmatch(r"[0-9]{1,9}", quantity) or not bounds[0] <= int(quantity) <= bounds[1]:
            raise InvalidRequest("This quantity cannot be chosen.")
    portal_actions.change_subscription(visit.work, visit.configuration, subscription, price=price, quantity=quantity)


def _cancel(visit: _Visit) -> None:
    visit.allow("subscription_cancel")
    feedback = visit.given("feedback") or None
    if feedback is not None and feedback not in {code for code, _ in portals.REASONS}:
        raise InvalidRequest("Choose one of the reasons.")
    portal_actions.cancel_subscription(
        visit.work,
        visit.configuration,
        visit.subscription(),
        feedback=feedback,
        comment=visit.given("comment") or None,
    )


def _keep(visit: _Visit) -> None:
    visit.allow("subscription_cancel")
    portal_actions.keep_subscription(visit.work, visit.subscription())

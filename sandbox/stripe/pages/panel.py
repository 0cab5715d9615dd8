"""The panel at the root: sessions, events and deliveries, and buttons for what the control API can do."""

from __future__ import annotations

import re

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.stripe import checkout, disturbances, later
from sandbox.stripe.billing import clocks
from sandbox.stripe.configuration import ACCOUNT_ID, API_VERSION
from sandbox.stripe.control import Control
from sandbox.stripe.delivery import held
from sandbox.stripe.delivery_control import deliveries
from sandbox.stripe.errors import StripeError
from sandbox.stripe.objects import Objects
from sandbox.stripe.pages.rendering import message, page
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.storage import Storage

_SHOWN = 40

# Browsers read `/\` as `//`, which leads to another host.
_OWN_ADDRESS = re.compile(r"/(?![/\\])[\x21-\x7e]*")


class Panel:
    """Shows the sandbox to whoever develops against it."""

    def __init__(self, storage: Storage, control: Control) -> None:
        self._storage = storage
        self._control = control

    def show(self, request: Request) -> Response:
        """Return the panel."""
        with self._storage.read() as connection:
            objects = Objects(connection)
            return page(
                "panel.html",
                account=ACCOUNT_ID,
                api_version=API_VERSION,
                base_url=request.host_url.rstrip("/"),
                sessions=objects.select(checkout.KIND, limit=_SHOWN),
                events=self._control.perform("GET", "/_sandbox/events", {})["data"][:_SHOWN],
                endpoints=objects.select("webhook_endpoint"),
                deliveries=deliveries(connection, limit=_SHOWN),
                held=held(connection),
                clocks=objects.select(clocks.KIND, limit=_SHOWN),
                coming=later.waiting(connection),
                disturbances=disturbances.listed(connection),
                faults=self._control.perform("GET", "/_sandbox/faults", {})["data"],
                health=self._control.perform("GET", "/_sandbox/health", {}),
                kinds=self._control.perform("GET", "/_sandbox/objects", {})["kinds"],
            )

    def browse(self, request: Request) -> Response:
        """Return the newest objects of a kind, or those that contain a text."""
        kind, search = request.args.get("kind", ""), request.args.get("search", "")
        found = self._control.perform("GET", "/_sandbox/objects", {"kind": kind, "search": search})
        return page("objects.html", kinds=found["kinds"], found=found["data"], kind=kind, search=search)

    def show_object(self, request: Request, identifier: str) -> Response:
        """Return one object with the events about it and what can be done to it."""
        try:
            found = self._control.perform("GET", f"/_sandbox/objects/{identifier}", {})
        except StripeError as error:
            return message("No such object", error.message, status=404, tone="bad", link=("/objects", "All objects"))
        return page(
            "object.html",
            identifier=identifier,
            shown=found["object"],
            account=found["account"],
            events=found["events"],
            coming=found["later"],
        )

    def act(self, request: Request, control: str) -> Response:
        """Do what a form asks of the control API and lead back to where it was pressed.

        `method` (default POST) and `back` are for this page; all other fields go into the request.
        """
        body: JsonObject = {
            name: _value(text) for name, text in request.form.items() if name not in ("back", "method") and text
        }
        back = request.form.get("back", "/")
        if _OWN_ADDRESS.fullmatch(back) is None:
            back = "/"
        try:
            self._control.perform(request.form.get("method", "POST"), f"/_sandbox/{control}", body)
        except StripeError as error:
            return message("That did not work", error.message, status=error.status, tone="bad", link=(back, "Back"))
        return redirect(back, code=303)


def _value(text: str) -> str | int | bool:
    """Return what a field's text means in JSON."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isascii() and text.isdecimal() else text

"""The panel at the root: sessions, events and deliveries, and buttons for what the control API can do."""

from __future__ import annotations

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.stripe import checkout
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
                events=objects.select("event", limit=_SHOWN),
                endpoints=objects.select("webhook_endpoint"),
                deliveries=deliveries(connection, limit=_SHOWN),
                held=held(connection),
                health=self._control.perform("GET", "/_sandbox/health", {}),
            )

    def resend(self, request: Request, event: str) -> Response:
        """Owe an event once more."""
        return self._act("POST", f"/_sandbox/events/{event}/resend", {}, "#deliveries")

    def hold(self, request: Request) -> Response:
        """Hold deliveries back."""
        return self._act("POST", "/_sandbox/deliveries/hold", {}, "#deliveries")

    def release(self, request: Request) -> Response:
        """Let deliveries go, in the chosen order."""
        order = request.form.get("order", "created")
        return self._act("POST", "/_sandbox/deliveries/release", {"order": order}, "#deliveries")

    def fail(self, request: Request) -> Response:
        """Let the next API calls fail."""
        status = request.form.get("status", "500")
        count = request.form.get("count", "1")
        body: JsonObject = {
            "status": int(status) if status.isdecimal() else status,
            "count": int(count) if count.isdecimal() else count,
        }
        return self._act("POST", "/_sandbox/faults", body, "#faults")

    def heal(self, request: Request) -> Response:
        """Forget the faults to come."""
        return self._act("DELETE", "/_sandbox/faults", {}, "#faults")

    def _act(self, method: str, path: str, body: JsonObject, anchor: str) -> Response:
        try:
            self._control.perform(method, path, body)
        except StripeError as error:
            return message("That did not work", error.message, status=error.status, tone="bad", link=("/", "Back"))
        return redirect(f"/{anchor}", code=303)

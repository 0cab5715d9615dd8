"""The WSGI application: API, hosted pages, control API and panel on one loopback address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.stripe.api import Api
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.control import Control
from sandbox.stripe.delivery import Courier
from sandbox.stripe.faults import Faults
from sandbox.stripe.pages.challenge_page import ChallengePage
from sandbox.stripe.pages.checkout_page import CheckoutPage
from sandbox.stripe.pages.invoice_page import InvoicePage
from sandbox.stripe.pages.panel import Panel
from sandbox.stripe.pages.portal_page import PortalPage
from sandbox.stripe.pages.receipt_page import ReceiptPage
from sandbox.stripe.pages.rendering import message, static_file
from sandbox.stripe.resources import ROUTES
from sandbox.stripe.storage import Storage
from sandbox.stripe.usage import Usage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGEST_BODY = 1_000_000

PATIENCE = 5.0
"""How many seconds requests under way have when the process is asked to stop."""


class Application:
    """The stand-in as one WSGI callable; `start` and `stop` frame its background work."""

    def __init__(self, configuration: Configuration) -> None:
        self._storage = Storage(configuration.database)
        self._faults = Faults()
        self._courier = Courier(configuration, self._storage)
        usage = Usage(ROUTES)
        self._api = Api(configuration, self._storage, self._faults, usage)
        self._control = Control(configuration, self._storage, self._faults, usage)
        self._pages = _pages(configuration, self._storage, self._control)
        self._under_way = 0
        self._changed = threading.Condition()

    def start(self) -> None:
        """Start sending webhooks."""
        self._courier.start()

    def stop(self) -> None:
        """Finish what is under way and close the file."""
        self._faults.clear()
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0, timeout=PATIENCE)
        self._courier.stop()
        self._storage.close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = LARGEST_BODY
        with self._changed:
            self._under_way += 1
        try:
            response = self._answer(request)
        except BaseException:
            self._leave()
            raise
        response.call_on_close(self._leave)
        return response(environ, start_response)

    def _leave(self) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def _answer(self, request: Request) -> Response:
        if not _from_here(request):
            return Response("This sandbox answers only on loopback names, to its own pages.\n", status=403)
        if request.path == "/v1" or request.path.startswith("/v1/"):
            return self._api.answer(request)
        if request.path.startswith("/_sandbox/"):
            return self._control.answer(request)
        try:
            view, names = self._pages.bind_to_environ(request.environ).match()
            response: Response = view(request, **names)
        except RequestEntityTooLarge:
            return message("That is too much", "The form is larger than the sandbox reads.", status=413, tone="bad")
        except HTTPException as error:
            return message("Nothing here", "The sandbox has no such page.", status=error.code or 404)
        return response


def _pages(configuration: Configuration, storage: Storage, control: Control) -> Map:
    payment = CheckoutPage(configuration, storage)
    challenge = ChallengePage(configuration, storage)
    invoice = InvoicePage(configuration, storage)
    panel = Panel(storage, control)
    portal = PortalPage(configuration, storage)
    views: list[tuple[str, str, Callable[..., Response]]] = [
        ("GET", "/", panel.show),
        ("GET", "/objects", panel.browse),
        ("GET", "/objects/<identifier>", panel.show_object),
        ("POST", "/panel/<path:control>", panel.act),
        ("GET", "/c/pay/<session>", payment.show),
        ("POST", "/c/pay/<session>", payment.submit),
        ("POST", "/c/pay/<session>/code", payment.apply_code),
        ("GET", "/c/3ds/<intent>", challenge.show),
        ("POST", "/c/3ds/<intent>", challenge.decide),
        ("GET", "/p/session/<session>", portal.show),
        ("POST", "/p/session/<session>/<action>", portal.act),
        ("GET", "/i/<invoice>/<key>", invoice.show),
        ("POST", "/i/<invoice>/<key>", invoice.pay),
        ("GET", "/i/<invoice>/<key>/pdf", invoice.pdf),
        ("GET", "/receipts/<charge>", ReceiptPage(storage).show),
        ("GET", "/static/<name>", static_file),
    ]
    return Map([Rule(path, endpoint=view, methods=[method]) for method, path, view in views])


def _from_here(request: Request) -> bool:
    """Return whether the request names a loopback host and no foreign page made a browser send it.

    Any page a browser has open can reach loopback ports, those of other programs there included; the host check
    also stops rebound names.
    """
    if not _is_loopback(urlsplit(f"//{request.host}").hostname):
        return False
    origin = request.headers.get("Origin")
    return origin is None or request.method in ("GET", "HEAD") or urlsplit(origin).netloc == request.host


def _is_loopback(host: str | None) -> bool:
    return host in ("127.0.0.1", "::1", "localhost") or (host is not None and host.endswith(".localhost"))

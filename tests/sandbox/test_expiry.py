"""Sessions that nobody pays, in process and with a time of the test's choosing."""

from __future__ import annotations

import time
from pathlib import Path

from werkzeug.test import EnvironBuilder

from sandbox.stripe import checkout
from sandbox.stripe.api import Api
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.faults import Faults
from sandbox.stripe.objects import Objects
from sandbox.stripe.resources import ROUTES
from sandbox.stripe.storage import Storage
from sandbox.stripe.usage import Usage
from tests.sandbox.process import KEY


def _session(api: Api) -> str:
    form = {
        "mode": "payment",
        "success_url": "http://shop.localhost/",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "900",
        "line_items[0][price_data][product_data][name]": "Invoice",
        "line_items[0][quantity]": "1",
    }
    builder = EnvironBuilder(
        "/v1/checkout/sessions", method="POST", data=form, headers={"Authorization": f"Bearer {KEY}"}
    )
    answer = api.answer(builder.get_request())
    assert answer.status_code == 200
    return str(answer.get_json()["id"])


def test_a_session_ends_when_its_time_is_over(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "sandbox.sqlite3")
    api = Api(Configuration(tmp_path / "sandbox.sqlite3", "http://127.0.0.1:8002"), storage, Faults(), Usage(ROUTES))
    identifier = _session(api)
    for hours, ended in ((23, 0), (25, 1), (26, 0)):
        with storage.write() as connection:
            later = int(time.time()) + hours * 3600
            assert checkout.expire_due(Work(Objects(connection), later, "http://127.0.0.1:8002")) == ended
    with storage.read() as connection:
        objects = Objects(connection)
        session = objects.get(checkout.KIND, identifier)
        assert session is not None and (session["status"], session["url"]) == ("expired", None)
        assert [event["type"] for event in objects.select("event", limit=1)] == ["checkout.session.expired"]
    storage.close()

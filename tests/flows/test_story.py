"""The main job from sign-up to refund, over HTTP and WebSocket on the real processes."""

from urllib.parse import urlsplit

import httpx
import pytest

from apps.tenancy import rollout
from tests.fixtures.processes import wait_until
from tests.fixtures.stack import Stack
from tests.fixtures.tenants import NewTenant
from tests.flows.story import CUSTOMER, member, next_notification, pay, sign_up


def test_from_sign_up_to_refund(stack: Stack) -> None:
    owner = sign_up(stack)
    owner.wait_until_active()
    if not rollout.is_single():
        wait_until(lambda: stack.mailbox.to(owner.email), what="the welcome by e-mail")

    invoice = owner.open_invoice()
    path = f"/invoices/{invoice['id']}"
    owner.api("POST", f"{path}/send")
    letters = wait_until(lambda: stack.mailbox.to(CUSTOMER, invoice["number"]), what="the invoice by e-mail")
    (attachment,) = letters[0].iter_attachments()
    assert attachment.get_content().startswith(b"%PDF")
    assert owner.send("GET", f"/api/v1{path}/pdf").content.startswith(b"%PDF")

    link = urlsplit(invoice["hosted_url"])
    page = httpx.get(f"{stack.url}{link.path}", headers={"Host": link.netloc}, timeout=30)
    assert (page.status_code, invoice["number"] in page.text) == (200, True)
    assert owner.invoice(invoice["id"])["viewed_at"]

    with owner.listen() as socket:
        pay(stack, owner.checkout(invoice["id"]))
        paid = owner.wait_until_paid(invoice["id"])
        assert next_notification(socket, "paid")["unread"] >= 1
    assert paid["amount_due_minor"] == 0
    wait_until(lambda: stack.mailbox.to(CUSTOMER, "eceipt"), what="the receipt")
    wait_until(lambda: "payment.fee" in owner.entries(), what="the fee in the ledger")
    assert owner.entries() == ["invoice.finalized", "payment.fee", "payment.succeeded"]

    (payment,) = owner.payments(invoice["id"])
    refunds = f"/payments/{payment['id']}/refunds"
    owner.api("POST", refunds, {"amount_minor": 900, "reason": "requested_by_customer"}, 201)
    owner.api("POST", refunds, {"reason": "requested_by_customer"}, 201)
    owner.api("POST", refunds, {"amount_minor": 1, "reason": "duplicate"}, 409)
    refunded = owner.api("GET", f"/payments/{payment['id']}")
    assert (refunded["status"], refunded["refunded_minor"]) == ("refunded", 11900)
    reopened = owner.invoice(invoice["id"])
    assert (reopened["status"], reopened["amount_due_minor"]) == ("open", 11900)
    assert owner.entries().count("payment.refunded") == 2

    actions = {row["action"] for row in owner.api("GET", "/audit?limit=100")["data"]}
    assert {"tenancy.tenant.create", "invoices.invoice.finalize", "invoices.invoice.send"} <= actions


@pytest.mark.skipif(rollout.is_single(), reason="there is no other workspace")
def test_another_workspace_sees_nothing(stack: Stack, committed: NewTenant) -> None:
    ours, theirs = committed("Ours"), committed("Theirs")
    invoice = member(stack, ours).open_invoice()
    stranger = member(stack, theirs)
    assert stranger.send("GET", f"/api/v1/invoices/{invoice['id']}").status_code == 404
    assert stranger.send("GET", "/api/v1/invoices", host=ours.host).status_code == 403


def test_static_files_come_from_the_web_process(stack: Stack, standing_tenants: tuple) -> None:
    tenant, _ = standing_tenants
    for host in (tenant.host, "localhost"):
        headers = {"Host": host, "Accept-Encoding": "identity"}
        sheet = stack.http.get("/static/css/base.css", headers=headers)
        assert (sheet.status_code, sheet.headers["Content-Type"].split(";")[0]) == (200, "text/css")
        assert len(sheet.content) == int(sheet.headers["Content-Length"])
        unchanged = {"If-Modified-Since": sheet.headers["Last-Modified"]}
        assert stack.http.get("/static/css/base.css", headers=headers | unchanged).status_code == 304
        assert stack.http.get("/static/nothing.css", headers=headers).status_code == 404
        assert stack.http.get("/static/../.env", headers=headers).status_code == 404

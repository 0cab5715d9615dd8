"""The main job where everybody shares one workspace, on real processes in that mode."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from standardwebhooks import Webhook

from apps.payments.models import GatewayEvent, GatewayEventStatus
from apps.tenancy import rollout
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.webhooks import Receiver, receiving
from tests.fixtures.processes import wait_until
from tests.fixtures.stack import Stack
from tests.flows.story import CUSTOMER, Person, next_notification, pay, sign_up


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program of the workspace's, beside the product."""
    with receiving() as running:
        yield running


def _roles(person: Person) -> list[str]:
    return list(person.api("GET", "/me")["roles"])


def _listen(owner: Person, receiver: Receiver) -> str:
    """An endpoint that was tried out; its secret."""
    body = {"url": receiver.url, "event_types": ["invoice.*"]}
    made = owner.api("POST", "/webhooks/endpoints", body, 201)
    asked = owner.api("POST", f"/webhooks/endpoints/{made['id']}/test", None, 202)
    path = f"/webhooks/deliveries/{asked['id']}"
    wait_until(lambda: owner.api("GET", path)["state"] == "succeeded", what="the test event")
    return str(made["secret"])


def _heard(receiver: Receiver) -> set[str]:
    return {call.event["type"] for call in list(receiver.calls)}


@pytest.mark.skipif(rollout.is_single(), reason="the standing workspaces are of the other mode")
def test_from_joining_to_being_paid(
    single_stack: Stack, standing_tenants: tuple[TenantView, TenantView], receiver: Receiver
) -> None:
    stack = single_stack
    first = sign_up(stack)
    first.wait_until_active()
    assert _roles(first) == ["MEMBER"]
    (workspace,) = Tenant.objects.filter(is_default=True)
    assert (workspace.key, workspace.name) == (first.key, "The One")

    assert stack.manage("make_owner", first.email) == f"{first.email} owns The One.\n"
    first.sign_in()
    assert _roles(first) == ["OWNER"]
    second = sign_up(stack)
    second.sign_in()
    assert (second.key, _roles(second)) == (first.key, ["MEMBER"])
    secret = _listen(first, receiver)

    invoice = first.open_invoice()
    assert second.invoice(invoice["id"])["number"] == invoice["number"]
    first.api("POST", f"/invoices/{invoice['id']}/send")
    wait_until(lambda: stack.mailbox.to(CUSTOMER, invoice["number"]), what="the invoice by e-mail")
    link = urlsplit(invoice["hosted_url"])
    assert link.hostname == settings.PLATFORM_HOST
    page = stack.http.get(link.path, headers={"Host": link.netloc})
    assert (page.status_code, invoice["number"] in page.text) == (200, True)

    with first.listen() as socket:
        pay(stack, first.checkout(invoice["id"]))
        assert first.wait_until_paid(invoice["id"])["amount_due_minor"] == 0
        assert next_notification(socket, "paid")["unread"] >= 1
    processed = GatewayEvent.objects.filter(tenant_id=workspace.pk, status=GatewayEventStatus.PROCESSED)
    wait_until(processed.exists, what="the webhook to be processed")
    wait_until(lambda: stack.mailbox.to(CUSTOMER, "eceipt"), what="the receipt")
    wait_until(lambda: "payment.fee" in first.entries(), what="the fee in the ledger")
    wait_until(lambda: {"invoice.finalized", "invoice.paid"} <= _heard(receiver), what="the webhooks")
    for call in receiver.wait_for(3):
        assert Webhook(secret).verify(call.body, call.headers)["tenant"]["key"] == workspace.key

    # The workspaces of the other mode keep their data and are not served.
    acme, _ = standing_tenants
    assert stack.http.get("/", headers={"Host": acme.host}).status_code == 404
    refused = Person(stack, f"owner@{acme.slug}.test", acme.key).send("GET", "/api/v1/invoices", host=acme.host)
    assert refused.status_code == 404

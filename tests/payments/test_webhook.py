"""What Stripe tells is stored once and counts once, whatever is forged, repeated, late or reordered."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client

from apps.core.actor import system
from apps.core.clock import utcnow
from apps.ledger import selectors as ledger
from apps.ledger.models import Entry
from apps.payments import inbox, tasks
from apps.payments.choices import GatewayEventStatus, PaymentStatus
from apps.payments.gateways.stripe import BREAKER
from apps.payments.models import GatewayEvent, Refund
from apps.tenancy.models import ExternalRef
from apps.tenancy.selectors import TenantView
from tests.factories.payments import (
    WEBHOOK,
    clear_faults,
    deliver,
    events,
    make_paid,
    make_pending,
    open_checkout,
    pay_at,
    signature,
    stored,
    stripe_api,
)
from tests.fixtures.processes import Sandbox
from tests.fixtures.tenants import in_tenant
from tests.fixtures.threads import at_once

NewTenant = Callable[[str], TenantView]


def event_about(payload_object: dict[str, Any], kind: str = "payment_intent.succeeded") -> dict[str, Any]:
    """An event that Stripe might send about an object."""
    return {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "type": kind,
        "livemode": False,
        "created": int(time.time()),
        "data": {"object": payload_object},
    }


def paid_at_the_gateway(tenant: TenantView, sandbox: Sandbox, **values: Any) -> Any:
    """A payment that the customer made, of which nobody has told us yet."""
    payment_id = make_pending(tenant, **values)
    pay_at(sandbox, open_checkout(tenant, payment_id).url)
    return payment_id


def process_all() -> None:
    """Everything that is stored and due, as the sweep does."""
    tasks.process_due_gateway_events()


def row(event: dict[str, Any]) -> GatewayEvent:
    return GatewayEvent.objects.get(event_id=event["id"])


def kinds_of_entries(tenant: TenantView, payment_id: Any) -> list[str]:
    with in_tenant(tenant):
        return sorted(Entry.objects.filter(source_id=payment_id).values_list("kind", flat=True))


@pytest.fixture(autouse=True)
def empty_inbox(request: pytest.FixtureRequest) -> None:
    """Tests that commit leave events behind; they are no business of the next test."""
    if "committed" in request.fixturenames:
        request.getfixturevalue("committed")
        GatewayEvent.objects.all().delete()


@pytest.mark.parametrize(
    "header",
    [
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "t=1,v1=00"},
        {"Stripe-Signature": "nonsense"},
        {"Stripe-Signature": f"t={int(time.time())},v1={'0' * 64}"},
    ],
)
def test_what_stripe_did_not_sign_is_refused_and_not_stored(db: None, header: dict[str, str]) -> None:
    answer = deliver(event_about({"id": "pi_1", "object": "payment_intent"}), **header)
    assert answer.status_code == 400
    assert json.loads(answer.content)["code"] == "bad_signature"
    assert not GatewayEvent.objects.exists()


def test_an_old_signature_is_refused(db: None) -> None:
    event = event_about({"id": "pi_1", "object": "payment_intent"})
    stale = signature(json.dumps(event).encode(), at=int(time.time()) - 3600)
    assert deliver(event, **{"Stripe-Signature": stale}).status_code == 400
    assert not GatewayEvent.objects.exists()


def test_without_a_secret_nothing_is_accepted(db: None, settings: Any) -> None:
    event = event_about({"id": "pi_1", "object": "payment_intent"})
    payload = json.dumps(event).encode()
    settings.STRIPE_WEBHOOK_SECRET = ""
    signed_with_nothing = {"Stripe-Signature": signature(payload, secret="x")}
    assert deliver(event, **signed_with_nothing).status_code == 503
    assert not GatewayEvent.objects.exists()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"id": 1}',
        b'{"id":"e","type":"t","livemode":false,"created":1,"data":{"object":7}}',
    ],
)
def test_signed_nonsense_is_refused(db: None, payload: bytes) -> None:
    client = Client(SERVER_NAME=django_settings.PLATFORM_HOST)
    answer = client.post(
        WEBHOOK, payload, content_type="application/json", headers={"Stripe-Signature": signature(payload)}
    )
    assert answer.status_code == 400
    assert not GatewayEvent.objects.exists()


def test_a_body_larger_than_any_event_is_refused(db: None) -> None:
    answer = deliver(event_about({"id": "pi_1", "padding": "x" * 600_000}))
    assert answer.status_code == 413
    assert not GatewayEvent.objects.exists()


def test_only_post_is_answered(db: None) -> None:
    assert Client(SERVER_NAME=django_settings.PLATFORM_HOST).get(WEBHOOK).status_code == 405


def test_an_event_pays_the_payment(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = paid_at_the_gateway(acme, sandbox)
    (event,) = events(sandbox, "checkout.session.completed")
    answer = deliver(event)
    assert (answer.status_code, json.loads(answer.content)) == (200, {"received": True})
    assert stored(acme, payment_id).status == PaymentStatus.PENDING
    process_all()
    assert stored(acme, payment_id).status == PaymentStatus.SUCCEEDED
    done = row(event)
    assert (done.status, done.tenant_id, done.payment_id) == (GatewayEventStatus.PROCESSED, acme.id, payment_id)
    assert done.processed_at is not None


def test_the_same_event_again_is_answered_and_changes_nothing(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = paid_at_the_gateway(acme, sandbox)
    (event,) = events(sandbox, "checkout.session.completed")
    deliver(event)
    process_all()
    assert deliver(event).status_code == 200
    process_all()
    assert GatewayEvent.objects.filter(event_id=event["id"]).count() == 1
    assert kinds_of_entries(acme, payment_id) == ["payment.fee", "payment.succeeded"]


@pytest.mark.parametrize("order", [1, -1])
def test_all_events_in_any_order_come_to_the_same(acme: TenantView, sandbox: Sandbox, order: int) -> None:
    payment_id = paid_at_the_gateway(acme, sandbox)
    payment = stored(acme, payment_id)
    intent = stripe_api(sandbox, "GET", f"checkout/sessions/{payment.session_ref}")["payment_intent"]
    stripe_api(sandbox, "POST", "refunds", payment_intent=intent, amount=1900)
    for event in events(sandbox)[::order]:
        assert deliver(event).status_code == 200
        process_all()
    after = stored(acme, payment_id)
    assert (after.status, after.refunded_minor, after.fee_minor) == (PaymentStatus.PARTIALLY_REFUNDED, 1900, 375)
    assert kinds_of_entries(acme, payment_id) == ["payment.fee", "payment.refunded", "payment.succeeded"]
    assert not GatewayEvent.objects.filter(status=GatewayEventStatus.FAILED).exists()


def test_a_webhook_before_the_saga_has_noted_the_session_counts(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = paid_at_the_gateway(acme, sandbox)
    forget_session(acme, payment_id)
    (event,) = events(sandbox, "payment_intent.succeeded")
    deliver(event)
    process_all()
    paid = stored(acme, payment_id)
    assert paid.status == PaymentStatus.SUCCEEDED
    assert paid.payment_ref == event["data"]["object"]["id"]


def test_the_saga_goes_on_after_a_webhook_that_was_faster(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = paid_at_the_gateway(acme, sandbox)
    session_ref = stored(acme, payment_id).session_ref
    forget_session(acme, payment_id)
    (event,) = events(sandbox, "checkout.session.completed")
    deliver(event)
    process_all()
    after = stored(acme, payment_id)
    assert (after.status, after.session_ref, after.checkout_open) == (PaymentStatus.SUCCEEDED, session_ref, False)


def test_a_declined_card_is_told_and_the_invoice_stays(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_pending(acme)
    pay_at(sandbox, open_checkout(acme, payment_id).url, "pm_card_chargeDeclined")
    (event,) = events(sandbox, "payment_intent.payment_failed")
    deliver(event)
    process_all()
    assert stored(acme, payment_id).status == PaymentStatus.FAILED
    assert kinds_of_entries(acme, payment_id) == []


def test_a_refund_made_in_stripes_dashboard_is_taken_over(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_paid(acme, sandbox)
    intent = stored(acme, payment_id).payment_ref
    made = stripe_api(sandbox, "POST", "refunds", payment_intent=intent, amount=1900, reason="duplicate")
    for event in events(sandbox, "charge.refunded", "refund.created"):
        deliver(event)
    process_all()
    with in_tenant(acme):
        refund = Refund.objects.get(payment_id=payment_id)
    assert (refund.amount_minor, refund.reason, refund.status) == (1900, "DUPLICATE", "SUCCEEDED")
    assert refund.refund_ref == made["id"]
    assert stored(acme, payment_id).status == PaymentStatus.PARTIALLY_REFUNDED
    with in_tenant(acme):
        trial = ledger.trial_balance(actor=system(acme.id))
    assert all(balance.is_balanced for balance in trial)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("payment_intent.succeeded", {"id": "pi_of_someone", "object": "payment_intent", "metadata": {}}),
        ("charge.updated", {"id": "ch_1", "object": "charge", "payment_intent": None, "metadata": None}),
        ("refund.updated", {"id": "re_1", "object": "refund", "metadata": {"tenant_id": "x", "payment_id": "y"}}),
        (
            "checkout.session.completed",
            {
                "id": "cs_1",
                "object": "checkout.session",
                "metadata": {"tenant_id": str(uuid4()), "payment_id": str(uuid4())},
            },
        ),
        ("customer.created", {"id": "cus_1", "object": "customer"}),
    ],
)
def test_what_is_not_ours_is_kept_and_ignored(db: None, kind: str, told: dict[str, Any]) -> None:
    event = event_about(told, kind)
    assert deliver(event).status_code == 200
    process_all()
    ignored = row(event)
    assert (ignored.status, ignored.next_attempt_at) == (GatewayEventStatus.IGNORED, None)
    assert ignored.payload["data"]["object"]["id"] == told["id"]


def test_metadata_of_a_payment_that_a_tenant_lacks_is_ignored(acme: TenantView, globex: TenantView) -> None:
    metadata = {"tenant_id": str(globex.id), "payment_id": str(make_pending(acme))}
    event = event_about({"id": "pi_9", "object": "payment_intent", "metadata": metadata})
    deliver(event)
    process_all()
    assert row(event).status == GatewayEventStatus.IGNORED


def test_a_failure_is_noted_and_tried_again_later(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = paid_at_the_gateway(acme, sandbox)
    (event,) = events(sandbox, "checkout.session.completed")
    deliver(event)
    sandbox.control("faults", status=500, count=4)
    process_all()
    failed = row(event)
    assert (failed.status, failed.attempts) == (GatewayEventStatus.FAILED, 1)
    assert "GatewayUnreachable" in failed.last_error
    assert failed.next_attempt_at is not None
    process_all()
    assert row(event).attempts == 1
    assert stored(acme, payment_id).status == PaymentStatus.PENDING
    clear_faults(sandbox)
    inbox.process_due(now=failed.next_attempt_at)
    assert row(event).status == GatewayEventStatus.PROCESSED
    assert stored(acme, payment_id).status == PaymentStatus.SUCCEEDED


def test_an_event_that_always_fails_waits_for_an_operator(acme: TenantView, sandbox: Sandbox) -> None:
    paid_at_the_gateway(acme, sandbox)
    (event,) = events(sandbox, "checkout.session.completed")
    deliver(event)
    sandbox.control("faults", status=500, count=10_000)
    now = utcnow()
    for _ in range(inbox.MOST_ATTEMPTS):
        now += timedelta(days=1)
        inbox.process_due(now=now)
    given_up = row(event)
    assert (given_up.status, given_up.next_attempt_at) == (GatewayEventStatus.FAILED, None)
    clear_faults(sandbox)
    BREAKER.reset()
    inbox.process_again(actor=system(), event_row_id=given_up.id)
    process_all()
    assert row(event).status == GatewayEventStatus.PROCESSED


def test_another_amount_than_was_asked_for_is_for_a_person_to_look_at(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = paid_at_the_gateway(acme, sandbox)
    with in_tenant(acme):
        type(stored(acme, payment_id)).objects.filter(pk=payment_id).update(amount_minor=500)
    (event,) = events(sandbox, "checkout.session.completed")
    deliver(event)
    process_all()
    assert row(event).status == GatewayEventStatus.FAILED
    assert "FactsDisagree" in row(event).last_error
    assert stored(acme, payment_id).status == PaymentStatus.PENDING


def test_an_event_processed_again_changes_nothing(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = paid_at_the_gateway(acme, sandbox)
    (event,) = events(sandbox, "checkout.session.completed")
    deliver(event)
    process_all()
    inbox.process_again(actor=system(), event_row_id=row(event).id)
    process_all()
    assert row(event).status == GatewayEventStatus.PROCESSED
    assert kinds_of_entries(acme, payment_id) == ["payment.fee", "payment.succeeded"]


def test_the_hint_reaches_the_task(acme: TenantView, sandbox: Sandbox, run_tasks: Any) -> None:
    payment_id = paid_at_the_gateway(acme, sandbox)
    (event,) = events(sandbox, "checkout.session.completed")
    with run_tasks():
        deliver(event)
    assert stored(acme, payment_id).status == PaymentStatus.SUCCEEDED


def test_four_copies_at_once_are_stored_once(committed: NewTenant, sandbox: Sandbox) -> None:
    tenant = committed("Four copies")
    payment_id = paid_at_the_gateway(tenant, sandbox)
    (event,) = events(sandbox, "checkout.session.completed")
    answers = at_once([partial(deliver, event)] * 4)
    assert [getattr(answer, "status_code", answer) for answer in answers] == [200] * 4
    assert GatewayEvent.objects.filter(event_id=event["id"]).count() == 1
    assert at_once([process_all] * 4) == [None] * 4
    assert stored(tenant, payment_id).status == PaymentStatus.SUCCEEDED
    assert kinds_of_entries(tenant, payment_id) == ["payment.fee", "payment.succeeded"]


def test_four_different_events_at_once_pay_once(committed: NewTenant, sandbox: Sandbox) -> None:
    tenant = committed("Four events")
    payment_id = paid_at_the_gateway(tenant, sandbox)
    told = events(sandbox, "checkout.session.completed", "payment_intent.succeeded", "charge.updated")
    told.append(told[0] | {"id": "evt_copy_under_another_id"})
    for event in told:
        deliver(event)
    rows = list(GatewayEvent.objects.values_list("pk", flat=True))
    assert len(rows) == 4
    assert at_once([partial(inbox.process_event, event_row_id=pk) for pk in rows]) == [None] * 4
    # On a busy machine one may have waited too long for the gateway; it is due again.
    inbox.process_due(now=utcnow() + inbox.LEASE)
    left = GatewayEvent.objects.values_list("status", "last_error").distinct()
    assert list(left) == [(GatewayEventStatus.PROCESSED, "")]
    assert stored(tenant, payment_id).status == PaymentStatus.SUCCEEDED
    assert kinds_of_entries(tenant, payment_id) == ["payment.fee", "payment.succeeded"]


def forget_session(tenant: TenantView, payment_id: Any) -> None:
    """As if the process had died between opening the session and noting it."""
    with in_tenant(tenant):
        type(stored(tenant, payment_id)).objects.filter(pk=payment_id).update(
            session_ref="", session_url="", session_expires_at=None, checkout_open=False
        )
    ExternalRef.objects.filter(object_id=payment_id).delete()

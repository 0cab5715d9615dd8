"""What happens becomes a message for whoever listens: once, with the change, and in the API's own words."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from apps.core import correlation, tracing
from apps.core.actor import Actor, Origin
from apps.core.clock import utcnow
from apps.core.events import Event
from apps.iam import services as iam
from apps.iam.models import Membership
from apps.invoices import services as invoices
from apps.invoices.models import Invoice
from apps.tenancy.selectors import TenantView
from apps.webhooks import handlers
from apps.webhooks.catalogue import CATALOGUE, EVENT_TYPES, PATTERNS
from apps.webhooks.models import Message
from tests.factories.invoices import make_client, make_draft, make_open
from tests.factories.webhooks import deliveries, make_endpoint
from tests.fixtures.tenants import actor_of, in_tenant


def told(tenant: TenantView) -> list[str]:
    return [row.message.type for row in deliveries(tenant)]


def last_event(tenant: TenantView) -> dict[str, Any]:
    return dict(json.loads(deliveries(tenant)[-1].message.payload))


def test_every_fact_has_a_name_in_the_catalogue() -> None:
    names = {name for facts in handlers.FACTS.values() for name in facts.values()}
    assert names == set(CATALOGUE) - {"webhook.test"}
    assert len(EVENT_TYPES) == len(CATALOGUE)
    assert {"*", "invoice.*", "invoice.paid"} <= PATTERNS and "webhook.test" not in PATTERNS
    assert all(issubclass(fact, Event) and attribute in fact.__dataclass_fields__
               for attribute, facts in handlers.FACTS.items() for fact in facts)  # fmt: skip


def test_the_life_of_an_invoice(acme: TenantView) -> None:
    make_endpoint(acme)
    owner = actor_of(acme)
    with in_tenant(acme):
        client = make_client(owner)
        invoices.update_client(actor=owner, client_id=client.id, changes={"name": "Other"})
        invoice = make_open(owner, client_id=client.id)
        invoices.send_invoice(actor=owner, invoice_id=invoice.id)
        token = Invoice.objects.values_list("link_token", flat=True).get(pk=invoice.id)
        invoices.record_view(token=token or "", origin=Origin())
        pay = {"method": "CASH", "paid_at": utcnow()}
        invoices.record_manual_payment(actor=owner, invoice_id=invoice.id, amount_minor=1900, **pay)
        invoices.record_manual_payment(actor=owner, invoice_id=invoice.id, amount_minor=10000, **pay)
        invoices.void_invoice(actor=owner, invoice_id=make_open(owner, client_id=client.id).id)
        invoices.mark_uncollectible(actor=owner, invoice_id=make_open(owner, client_id=client.id).id)
        invoices.delete_client(actor=owner, client_id=client.id)
    finalized = ["invoice.created", "invoice.finalized"]
    assert sorted(told(acme)) == sorted(
        [
            *("client.created", "client.updated", "client.deleted"),
            *(*finalized, "invoice.sent", "invoice.viewed"),
            *("payment.succeeded", "invoice.partially_paid", "payment.succeeded", "invoice.paid"),
            *(*finalized, "invoice.void", *finalized, "invoice.uncollectible"),
        ]
    )


def test_a_message_is_what_the_api_answers(acme: TenantView, api: Callable[..., Client]) -> None:
    make_endpoint(acme, event_types=["invoice.finalized"])
    with in_tenant(acme):
        invoice = make_open(actor_of(acme))
    event = last_event(acme)
    row = deliveries(acme)[-1]
    assert event["id"] == row.message.event_id == f"evt_{row.message.id.hex}"
    assert (event["type"], event["version"]) == ("invoice.finalized", "1")
    assert event["tenant"] == {"key": acme.key, "slug": acme.slug}
    assert event["timestamp"].endswith("Z") and row.message.subject_id == invoice.id
    answer = api(acme).get(f"/api/v1/invoices/{invoice.id}").json()
    assert event["data"] == answer


def test_only_who_listens_is_owed_anything(acme: TenantView, globex: TenantView) -> None:
    paid = make_endpoint(acme, event_types=["invoice.paid", "client.*"]).endpoint
    make_endpoint(acme, event_types=["invoice.*"])
    make_endpoint(globex)
    with in_tenant(acme):
        make_client(actor_of(acme))
        make_draft(actor_of(acme))
    assert [row.message.type for row in deliveries(acme, endpoint_id=paid.id)] == ["client.created"] * 2
    assert sorted(told(acme)) == ["client.created", "client.created", "invoice.created"]
    assert told(globex) == []


def test_without_a_listener_nothing_is_written(acme: TenantView) -> None:
    make_endpoint(acme, event_types=["payment.*"])
    with in_tenant(acme):
        make_client(actor_of(acme))
        assert not Message.objects.exists()


def test_what_did_not_happen_is_not_told(acme: TenantView) -> None:
    make_endpoint(acme)
    with pytest.raises(RuntimeError), in_tenant(acme):
        make_client(actor_of(acme))
        raise RuntimeError
    assert told(acme) == []


def test_a_message_remembers_the_request(acme: TenantView) -> None:
    make_endpoint(acme)
    correlation.bind("order-4711")
    span = tracing.bind("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    with in_tenant(acme):
        make_client(actor_of(acme))
    message = deliveries(acme)[-1].message
    assert (message.correlation_id, message.traceparent) == ("order-4711", span.header)


def test_members_are_told_of_wherever_they_change(acme: TenantView, api: Callable[..., Client]) -> None:
    make_endpoint(acme, event_types=["member.*"])
    owner = actor_of(acme)
    viewer = Membership.objects.get(tenant_id=acme.id, user__email=f"viewer@{acme.slug}.test")
    iam.change_roles(actor=owner, membership_id=viewer.id, roles=["MEMBER"])
    assert last_event(acme)["data"]["roles"] == ["MEMBER"]
    assert last_event(acme)["data"] == api(acme).get(f"/api/v1/members/{viewer.id}").json()
    iam.ban_member(actor=owner, membership_id=viewer.id, reason="Left")
    assert last_event(acme)["data"]["status"] == "BANNED"
    iam.unban_member(actor=owner, membership_id=viewer.id)
    iam.remove_member(actor=owner, membership_id=viewer.id)
    assert last_event(acme)["data"]["email"] == f"viewer@{acme.slug}.test"
    assert told(acme) == ["member.role_changed", "member.banned", "member.unbanned", "member.removed"]


def test_a_new_owner_is_two_members_with_other_roles(acme: TenantView) -> None:
    make_endpoint(acme, event_types=["member.role_changed"])
    heir = Membership.objects.get(tenant_id=acme.id, user__email=f"admin@{acme.slug}.test")
    iam.transfer_ownership(actor=actor_of(acme), membership_id=heir.id)
    assert sorted(json.loads(row.message.payload)["data"]["roles"][0] for row in deliveries(acme)) == [
        "MEMBER",
        "OWNER",
    ]


def test_overdue_is_told_once_by_the_calendar_of_the_workspace(acme: TenantView) -> None:
    make_endpoint(acme, event_types=["invoice.overdue"])
    owner, due = actor_of(acme), date(2026, 3, 10)

    def issue(actor: Actor, **values: Any) -> UUID:
        return make_open(actor, issue_date=date(2026, 3, 1), **values).id

    with in_tenant(acme):
        late, paid = issue(owner, due_date=due), issue(owner, due_date=due)
        issue(owner, due_date=due + timedelta(days=1))
        invoices.record_manual_payment(
            actor=owner, invoice_id=paid, amount_minor=11900, method="CASH", paid_at=utcnow()
        )
    noon = utcnow().replace(year=2026, month=3, day=10, hour=12)
    with in_tenant(acme):
        version = Invoice.objects.values_list("version", flat=True).get(pk=late)
        assert invoices.tell_overdue(now=noon) == 0
        assert invoices.tell_overdue(now=noon + timedelta(days=1)) == 1
        assert invoices.tell_overdue(now=noon + timedelta(days=1)) == 0
        assert Invoice.objects.values_list("version", flat=True).get(pk=late) == version
    (row,) = deliveries(acme)
    assert row.message.subject_id == late

"""Clients: what is kept, checked and refused."""

from uuid import uuid4

import pytest

from apps.audit.models import AuditEntry
from apps.core.actor import Actor
from apps.core.errors import ValidationFailed
from apps.core.rest.paging import PageRequest
from apps.invoices import selectors, services
from apps.invoices.errors import ClientNotFound
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_client, make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant


@pytest.fixture
def actor(acme: TenantView) -> Actor:
    return actor_of(acme)


def names(actor: Actor, **options: object) -> list[str]:
    page = selectors.list_clients(actor=actor, page=PageRequest(), **options)  # type: ignore[arg-type]
    return [row.client.name for row in page.rows]


def test_a_client_gets_the_tenants_language_and_currency(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        client = services.create_client(actor=actor, fields={"name": "  Nordlys  "})
    assert (client.name, client.locale, client.currency) == ("Nordlys", acme.locale, acme.currency)


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": "x" * 201}, "name", "max_length"),
        ({"name": "x", "email": "not-an-address"}, "email", "invalid"),
        ({"name": "x", "phone": "1" * 31}, "phone", "max_length"),
        ({"name": "x", "address": "x" * 501}, "address", "max_length"),
        ({"name": "x", "tax_id": "x" * 51}, "tax_id", "max_length"),
        ({"name": "x", "notes": "x" * 2001}, "notes", "max_length"),
        ({"name": "x", "locale": "klingon"}, "locale", "invalid"),
        ({"name": "x", "currency": "ZZZ"}, "currency", "unknown_currency"),
    ],
)
def test_what_breaks_a_limit_is_refused(
    acme: TenantView, actor: Actor, fields: services.ClientChanges, field: str, code: str
) -> None:
    with in_tenant(acme), pytest.raises(ValidationFailed) as refused:
        services.create_client(actor=actor, fields=fields)
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]


def test_a_change_is_traced_with_before_and_after(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        client = make_client(actor)
        services.update_client(actor=actor, client_id=client.id, changes={"email": "new@ionian.test"})
        services.update_client(actor=actor, client_id=client.id, changes={"email": "new@ionian.test"})
    entry = AuditEntry.objects.filter(action="invoices.client.update").latest("id")
    assert (entry.before, entry.after) == ({"email": "ap@ionian.test"}, {"email": "new@ionian.test"})


def test_deleting_is_soft_and_once(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        client = make_client(actor)
        services.delete_client(actor=actor, client_id=client.id)
        assert names(actor) == []
        assert names(actor, include_deleted=True) == ["Ionian Yachts"]
        assert selectors.get_client(actor=actor, client_id=client.id).client.deleted_at is not None
        with pytest.raises(ClientNotFound):
            services.delete_client(actor=actor, client_id=client.id)
        with pytest.raises(ClientNotFound):
            services.update_client(actor=actor, client_id=client.id, changes={"name": "x"})


def test_search_takes_the_text_literally(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        make_client(actor, name="100% Wool_Works", email="a@wool.test")
        make_client(actor, name="Nordlys", email="b@nordlys.test")
        assert names(actor, q="0% w") == ["100% Wool_Works"]
        assert names(actor, q="NORDLYS.test") == ["Nordlys"]
        assert names(actor, q="%") == ["100% Wool_Works"]
        assert names(actor, q="\x00") == ["Nordlys", "100% Wool_Works"]


def test_balances_are_per_currency_and_leave_drafts_out(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        client = make_client(actor)
        make_draft(actor, client_id=client.id)
        make_open(actor, client_id=client.id)
        make_open(actor, client_id=client.id, currency="JPY")
        void = make_open(actor, client_id=client.id)
        services.void_invoice(actor=actor, invoice_id=void.id)
        detail = selectors.get_client(actor=actor, client_id=client.id)
    assert [(row.currency, row.invoiced_minor, row.due_minor) for row in detail.balances] == [
        ("EUR", 11_900, 11_900),
        ("JPY", 11_900, 11_900),
    ]
    assert detail.invoice_count == 4
    assert detail.last_invoiced_at is not None


def test_an_unknown_client_is_not_found(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme), pytest.raises(ClientNotFound):
        selectors.get_client(actor=actor, client_id=uuid4())

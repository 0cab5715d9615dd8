"""Operators look at clients and invoices of a tenant they entered, and change nothing."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from apps.invoices import selectors
from apps.invoices.models import Invoice
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator
from tests.factories.invoices import make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant

LISTS = ["invoices_invoice", "invoices_client"]


@pytest.fixture
def outside(acme: TenantView) -> Client:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    form = {"username": operator(), "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form).status_code == 302
    return client


@pytest.fixture
def inside(outside: Client, acme: TenantView) -> Client:
    url = reverse("admin:tenancy_tenant_confirm", args=[acme.id, "enter"])
    assert outside.post(url, {"reason": "A question about an invoice"}).status_code == 302
    return outside


@pytest.mark.parametrize("name", LISTS)
def test_outside_a_tenant_its_tables_are_403(outside: Client, name: str) -> None:
    assert outside.get(reverse(f"admin:{name}_changelist")).status_code == 403


def test_inside_a_tenant_its_invoices_can_be_read(inside: Client, acme: TenantView, globex: TenantView) -> None:
    with in_tenant(acme):
        issued, draft = make_open(actor_of(acme)), make_draft(actor_of(acme))
        token = Invoice.objects.get(pk=issued.id).link_token or ""
    with in_tenant(globex):
        theirs = make_open(actor_of(globex), notes="of Globex")
    for name in LISTS:
        assert inside.get(reverse(f"admin:{name}_changelist"), {"q": "ionian"}).status_code == 200
    listed = inside.get(reverse("admin:invoices_invoice_changelist")).content.decode()
    assert (issued.number or "") in listed
    assert "€119.00" in listed
    page = inside.get(reverse("admin:invoices_invoice_change", args=[issued.id])).content.decode()
    assert "Consulting, hours" in page
    assert token not in page
    assert inside.get(reverse("admin:invoices_invoice_change", args=[draft.id])).status_code == 200
    assert inside.get(reverse("admin:invoices_client_change", args=[issued.client.id])).status_code == 200
    assert inside.get(reverse("admin:invoices_invoice_change", args=[theirs.id])).status_code == 302


@pytest.mark.parametrize("name", LISTS)
def test_nobody_edits_them_there(inside: Client, acme: TenantView, name: str) -> None:
    with in_tenant(acme):
        draft = make_draft(actor_of(acme))
    row = draft.id if name == "invoices_invoice" else draft.client.id
    assert inside.get(reverse(f"admin:{name}_add")).status_code == 403
    assert inside.get(reverse(f"admin:{name}_delete", args=[row])).status_code == 403
    inside.post(reverse(f"admin:{name}_change", args=[row]), {"name": "Changed", "notes": "Changed"})
    with in_tenant(acme):
        assert selectors.invoice_view(invoice_id=draft.id) == draft

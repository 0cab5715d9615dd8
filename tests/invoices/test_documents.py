"""The PDF: what is printed, made once, made again after any failure, readable by whoever may."""

import hashlib
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from apps.core.actor import Actor, system
from apps.core.clock import utcnow
from apps.core.tenants import tenant_scope, tenant_transaction
from apps.invoices import documents, selectors, services, tasks
from apps.invoices.errors import DocumentNotReady, InvoiceNotFound
from apps.invoices.models import DocumentStatus, InvoiceDocument
from apps.invoices.rendering import LEASE, MAX_ATTEMPTS
from apps.invoices.selectors import InvoiceView
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import line, make_client, make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant
from tests.fixtures.threads import at_once

ApiFor = Callable[..., APIClient]
RunTasks = Callable[[], AbstractContextManager[None]]
NewTenant = Callable[[str], TenantView]


@pytest.fixture
def actor(acme: TenantView) -> Actor:
    return actor_of(acme)


@pytest.fixture
def issued(acme: TenantView, actor: Actor) -> InvoiceView:
    with in_tenant(acme):
        return make_open(actor)


def document(tenant: TenantView) -> InvoiceDocument:
    with in_tenant(tenant):
        return InvoiceDocument.objects.get()


def test_labels_money_and_dates_follow_the_clients_language(acme: TenantView, actor: Actor) -> None:
    Tenant.objects.filter(pk=acme.id).update(legal_name="Acme GmbH", address="Ring 1\n\n Berlin ", tax_id="DE1")
    with in_tenant(acme):
        client = make_client(actor, locale="de-CH", address="Gasse 2")
        invoice = make_open(
            actor,
            client_id=client.id,
            issue_date=date(2026, 3, 1),
            due_date=date(2026, 3, 31),
            lines=(line(quantity=Decimal("1234.5"), unit_price_minor=199, discount_minor=66, tax_rate=Decimal("8.1")),),
            discount_minor=1_000,
        )
    printed = documents.compose(invoice)
    assert printed.locale == "de"
    assert (printed.seller.lines, printed.buyer.lines) == (("Ring 1", "Berlin"), ("Gasse 2",))
    assert printed.footer == "Acme GmbH · Ring 1, Berlin · DE1"
    assert [value for _, value in printed.facts] == ["1. März 2026", "31. März 2026"]
    assert (printed.lines[0].quantity, printed.lines[0].tax_rate) == ("1’234.5", "8.1%")
    assert printed.totals[-1].strong
    assert printed.totals[-1].value.endswith("2’644.13")
    assert printed.pay_url == invoice.hosted_url


def test_a_language_without_a_catalogue_gets_english_labels_and_its_own_figures(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        client = make_client(actor, locale="fr")
        invoice = make_open(actor, client_id=client.id, issue_date=date(2026, 3, 1))
    printed = documents.compose(invoice)
    assert (printed.locale, printed.title, printed.facts[0]) == ("en", "Invoice", ("Issued", "1 mars 2026"))


def test_nothing_to_pay_offers_no_way_to_pay(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_open(actor, lines=(line(unit_price_minor=0),))
    assert documents.compose(invoice).pay_url == ""


def test_the_queue_makes_it_once(acme: TenantView, actor: Actor, run_tasks: RunTasks) -> None:
    with run_tasks(), in_tenant(acme):
        invoice = make_open(actor)
    row = document(acme)
    assert (row.status, row.attempts, row.next_attempt_at) == (DocumentStatus.READY, 1, None)
    assert row.storage_key == f"tenants/{acme.id}/invoices/{invoice.id}/{row.sha256}.pdf"
    with default_storage.open(row.storage_key) as stored:
        content = stored.read()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (row.sha256, row.size)
    assert len(pikepdf.open(io.BytesIO(content)).pages) == 1
    with tenant_scope(acme.scope):
        assert services.render_due_documents() == 0
        assert services.ensure_document(invoice_id=invoice.id) == content
        with in_tenant(acme):
            kinds = [entry.kind for entry in selectors.timeline(actor=actor, invoice_id=invoice.id)]
    assert "document_ready" in kinds


def test_a_download_before_the_queue_makes_it(acme: TenantView, issued: InvoiceView) -> None:
    with tenant_scope(acme.scope):
        content = services.ensure_document(invoice_id=issued.id)
    assert content.startswith(b"%PDF-")
    assert document(acme).status == DocumentStatus.READY


def test_a_file_that_the_storage_lost_is_made_again(acme: TenantView, issued: InvoiceView) -> None:
    with tenant_scope(acme.scope):
        content = services.ensure_document(invoice_id=issued.id)
        default_storage.delete(document(acme).storage_key)
        assert services.ensure_document(invoice_id=issued.id) == content
    assert default_storage.exists(document(acme).storage_key)


def test_a_claim_is_a_lease(acme: TenantView, issued: InvoiceView) -> None:
    # What a worker leaves that was killed while it was typesetting.
    now = utcnow()
    with in_tenant(acme):
        InvoiceDocument.objects.update(attempts=1, next_attempt_at=now + LEASE)
    with tenant_scope(acme.scope):
        assert services.render_due_documents(now=now) == 0
        assert services.render_due_documents(now=now + LEASE) == 1
    assert document(acme).attempts == 2


def test_a_failure_is_noted_and_tried_again_later(
    acme: TenantView, issued: InvoiceView, settings: Any, tmp_path: Path
) -> None:
    good, now = settings.FONT_DIR, utcnow()
    settings.FONT_DIR = str(tmp_path / "file" / "fonts")
    (tmp_path / "file").touch()
    with tenant_scope(acme.scope):
        assert not services.render_document(document_id=document(acme).id, now=now)
        row = document(acme)
        assert (row.status, row.attempts) == (DocumentStatus.PENDING, 1)
        assert row.last_error
        assert row.next_attempt_at is not None
        assert row.next_attempt_at > now
        settings.FONT_DIR = good
        assert services.render_due_documents(now=now) == 0
        assert services.render_due_documents(now=row.next_attempt_at) == 1
    assert (document(acme).status, document(acme).last_error) == (DocumentStatus.READY, "")


def test_after_the_last_attempt_only_a_reader_tries_again(
    acme: TenantView, issued: InvoiceView, settings: Any, tmp_path: Path
) -> None:
    good = settings.FONT_DIR
    settings.FONT_DIR = str(tmp_path / "file" / "fonts")
    (tmp_path / "file").touch()
    with tenant_scope(acme.scope):
        with in_tenant(acme):
            InvoiceDocument.objects.update(attempts=MAX_ATTEMPTS - 1)
        services.render_document(document_id=document(acme).id)
        assert document(acme).status == DocumentStatus.FAILED
        settings.FONT_DIR = good
        assert services.render_due_documents(now=utcnow() + timedelta(days=1)) == 0
        services.ensure_document(invoice_id=issued.id)
    assert document(acme).status == DocumentStatus.READY


def test_many_at_once_make_it_once(committed: NewTenant) -> None:
    tenant = committed("One document")
    with tenant_transaction(tenant.scope):
        make_open(system(tenant.id))
        document_id = InvoiceDocument.objects.get().id

    def render() -> bool:
        with tenant_scope(tenant.scope):
            return services.render_document(document_id=document_id)

    assert sorted(at_once([render] * 4)) == [False, False, False, True]


def test_the_sweep_visits_every_tenant(acme: TenantView, globex: TenantView) -> None:
    for tenant in (acme, globex):
        with in_tenant(tenant):
            make_open(actor_of(tenant))
    tasks.sweep_documents()
    assert {document(tenant).status for tenant in (acme, globex)} == {DocumentStatus.READY}


def test_a_draft_has_none(acme: TenantView, actor: Actor) -> None:
    with tenant_scope(acme.scope):
        with in_tenant(acme):
            draft = make_draft(actor)
        with pytest.raises(DocumentNotReady):
            services.ensure_document(invoice_id=draft.id)


def test_another_tenants_is_not_found(globex: TenantView, issued: InvoiceView) -> None:
    with tenant_scope(globex.scope), pytest.raises(InvoiceNotFound):
        services.ensure_document(invoice_id=issued.id)


def test_typesetting_inside_a_transaction_is_a_mistake(committed: NewTenant) -> None:
    tenant = committed("In a transaction")
    with tenant_transaction(tenant.scope):
        invoice = make_open(system(tenant.id))
        with pytest.raises(RuntimeError, match="transaction"):
            services.ensure_document(invoice_id=invoice.id)


@pytest.mark.parametrize("accept", ["*/*", "application/pdf", "application/json"])
def test_it_is_downloaded_whatever_is_accepted(acme: TenantView, issued: InvoiceView, api: ApiFor, accept: str) -> None:
    answer = api(acme, "VIEWER").get(f"/api/v1/invoices/{issued.id}/pdf", HTTP_ACCEPT=accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"] == f'inline; filename="{issued.number}.pdf"'
    assert answer.content.startswith(b"%PDF-")


def test_a_refusal_is_a_problem_document_even_for_who_wants_a_pdf(acme: TenantView, actor: Actor, api: ApiFor) -> None:
    with in_tenant(acme):
        draft = make_draft(actor)
    answer = api(acme).get(f"/api/v1/invoices/{draft.id}/pdf", HTTP_ACCEPT="application/pdf")
    assert (answer.status_code, answer.headers["Content-Type"]) == (409, "application/problem+json")
    assert answer.json()["code"] == "document_not_ready"

"""The demo that `make run` shows: two organisations with clients and invoices in every state."""

import random
import unicodedata
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.core.actor import Actor, Origin, system
from apps.core.clock import utcnow
from apps.core.tenants import tenant_scope
from apps.iam import selectors as iam_selectors
from apps.iam import services as iam
from apps.invoices import selectors as invoice_selectors
from apps.invoices import services as invoices
from apps.tenancy import profile as tenant_profile
from apps.tenancy import selectors as tenancy
from apps.tenancy import services as tenancy_services
from apps.tenancy import tax_ids
from apps.tenancy.errors import NameTaken
from apps.tenancy.selectors import TenantView
from apps.webhooks import sending
from apps.webhooks import services as webhooks
from devserver.listening import listening

PASSWORD = "Insula-demo-1"  # noqa: S105 (a demo's, in development settings only)
OPERATOR = "operator@insula.localhost"
TEAM = {"OWNER": ("Mira", "Okafor"), "ACCOUNTANT": ("Jonas", "Brandt"), "VIEWER": ("Lena", "Sato")}
CLIENTS = [
    ("Studio Vermeer", "Keizersgracht 12\n1015 Amsterdam", "en"),
    ("Alpenblick Hotels", "Bahnhofstrasse 3\n7270 Davos", "de"),
    ("Hansen Interiors GmbH", "Speersort 8\n20095 Hamburg", "de"),
    ("Bellweather Press", "14 Quay Street\nBristol", "en"),
    ("Café Lumière", "5 rue des Martyrs\n75009 Paris", "en"),
    ("Ionian Yachts", "Corfu Marina\n49100 Corfu", "en"),
    ("Delmar Surf School", "Rua do Mar 2\n2640 Ericeira", "en"),
    ("Brook & Sons Builders", "Mill Lane 1\nLeeds", "en"),
    ("Nordlys Outdoor AS", "Storgata 40\n9008 Tromsø", "en"),
    ("شركة الواحة للتجارة", "شارع الشيخ زايد\nدبي", "ar"),
    ("Meridian Labs", "Langstrasse 20\n8004 Zürich", "en"),
    ("Tidal Energy", "Harbour Road 7\nCork", "en"),
]
WORK = [
    ("Brand identity", 480000, "19"),
    ("Website design", 320000, "19"),
    ("Illustration set (12 pcs)", 92000, "19"),
    ("Accessibility audit", 130000, "19"),
    ("Maintenance retainer", 45000, "19"),
    ("Hosting, monthly", 2900, "19"),
    ("Printed handbook", 1850, "7"),
    ("Workshop day", 140000, "19"),
]


class Command(BaseCommand):
    """Idempotent: what is there stays."""

    help = "Make the demo organisations, their people, clients and invoices."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; refuses where the settings are not for development."""
        if not getattr(settings, "DEMO", False):
            raise CommandError("The demo belongs to the development settings only.")
        iam.ensure_operator(email=OPERATOR, password=PASSWORD)
        for name, count, seed in (("Northwind", 60, 7), ("Kestrel Robotics", 8, 11)):
            tenant = self._tenant(name)
            self._fill(tenant, count, random.Random(seed))  # noqa: S311 (the same demo each time)

    def _tenant(self, name: str) -> TenantView:
        try:
            created = tenancy_services.create_tenant(actor=system(), name=name, time_zone="Europe/Berlin")
        except NameTaken:
            return tenancy.tenant_by_key_or_slug(name.lower().replace(" ", "-"))
        tenancy_services.provision_tenant(tenant_id=created.id)
        for role, (first, last) in TEAM.items():
            iam.ensure_member(
                email=f"{role.lower()}@{created.slug.split('-')[0]}.localhost",
                password=PASSWORD,
                tenant_id=created.id,
                role=role,
                first_name=first,
                last_name=last,
            )
        return tenancy.tenant_by_id(created.id)

    def _fill(self, tenant: TenantView, count: int, chance: random.Random) -> None:
        owner = iam_selectors.members_with(tenant.id, "ownership:transfer")[0]
        with tenant_scope(tenant.scope):
            with transaction.atomic():
                actor = iam_selectors.actor_for_member(owner.user_id, tenant.id, Origin(source="CLI"))
                if actor is None or invoices_exist(actor):
                    return
                tenant_profile.update_settings(
                    actor=actor,
                    changes={
                        "legal_name": f"{tenant.name} Studio GmbH",
                        "address": "Hafenstraße 12\n20457 Hamburg",
                        "email": f"hello@{tenant.slug}.test",
                    },
                )
                tax_ids.add_tax_id(actor=actor, kind="de_vat", value="DE136695976")
            with transaction.atomic():
                clients = [self._client(actor, *spec) for spec in CLIENTS]
            for index in range(count):
                with transaction.atomic():
                    self._invoice(actor, chance.choice(clients), index, count, chance)
            if settings.OUTBOUND_PRIVATE_ADDRESSES:
                self._webhooks(actor, clients[:3])
        self.stdout.write(f"{tenant.name}: {len(clients)} clients, {count} invoices")

    def _webhooks(self, actor: Actor, clients: list[UUID]) -> None:
        """An endpoint that took what it was told until its program broke; nobody listens there, so it is disabled."""
        with listening([HTTPStatus.NO_CONTENT, HTTPStatus.NO_CONTENT, HTTPStatus.INTERNAL_SERVER_ERROR]) as url:
            with transaction.atomic():
                endpoint_id = webhooks.create_endpoint(
                    actor=actor, url=url, event_types=["client.*", "invoice.paid"], description="Bookkeeping"
                ).endpoint.id
                for number, client_id in enumerate(clients):
                    phone = f"+49 40 30 06 {number}0"
                    invoices.update_client(actor=actor, client_id=client_id, changes={"phone": phone})
            sending.take_turn(endpoint_id=endpoint_id)
        with transaction.atomic():
            webhooks.disable_endpoint(actor=actor, endpoint_id=endpoint_id)
            address: webhooks.EndpointChanges = {"url": "https://books.example/hooks/insula"}
            webhooks.update_endpoint(actor=actor, endpoint_id=endpoint_id, changes=address)

    def _client(self, actor: Actor, name: str, address: str, locale: str) -> UUID:
        letters = unicodedata.normalize("NFKD", name.lower())
        mailbox = "".join(letter for letter in letters if letter.isascii() and letter.isalpha()) or "client"
        fields: Any = {
            "name": name,
            "email": f"billing@{mailbox}.test",
            "address": address,
            "locale": locale,
            "currency": "EUR",
        }
        return invoices.create_client(actor=actor, fields=fields).id

    def _invoice(self, actor: Actor, client_id: UUID, index: int, count: int, chance: random.Random) -> None:
        # Spread over a year, the youngest last, so that numbers rise with the dates.
        age = timedelta(days=int(345 * (count - 1 - index) / count))
        now = utcnow()
        issued_at = datetime.combine((now - age).date(), time(9, 30), tzinfo=UTC)
        lines = []
        for description, price, rate in chance.sample(WORK, chance.randint(1, 4)):
            lines.append(
                invoices.LineInput(
                    description=description,
                    quantity=Decimal(chance.choice(["1", "1", "2", "3", "0.5"])),
                    unit_price_minor=price,
                    tax_rate=Decimal(rate),
                )
            )
        draft = invoices.create_invoice(
            actor=actor,
            draft=invoices.DraftInput(
                client_id=client_id,
                currency="EUR",
                issue_date=issued_at.date(),
                due_date=issued_at.date() + timedelta(days=30),
                discount_minor=chance.choice([0, 0, 0, 5000]) if len(lines) > 1 else 0,
                notes="Thank you for your business. Please quote the invoice number with your transfer.",
                lines=tuple(lines),
            ),
        )
        fate = self._fate(age.days, chance)
        if fate == "draft":
            return
        invoice = invoices.finalize_invoice(actor=actor, invoice_id=draft.id, now=issued_at)
        if fate == "void":
            invoices.void_invoice(actor=actor, invoice_id=invoice.id, now=issued_at + timedelta(hours=2))
        elif fate == "uncollectible":
            invoices.mark_uncollectible(actor=actor, invoice_id=invoice.id, now=issued_at + timedelta(days=90))
        elif fate in ("paid", "partial"):
            amount = invoice.total_minor if fate == "paid" else invoice.total_minor // 3
            invoices.record_manual_payment(
                actor=actor,
                invoice_id=invoice.id,
                amount_minor=amount,
                method=chance.choice(["BANK_TRANSFER", "BANK_TRANSFER", "CARD"]),
                reference=f"SEPA {chance.randint(10**6, 10**7)}",
                paid_at=min(issued_at + timedelta(days=chance.randint(3, 28)), now),
                now=now,
            )

    def _fate(self, age_days: int, chance: random.Random) -> str:
        if age_days < 14:
            return chance.choice(["draft", "open", "open", "paid", "draft"])
        if age_days < 75:
            return chance.choice(["open", "paid", "paid", "paid", "partial"])
        return chance.choices(["paid", "void", "uncollectible", "open"], [40, 2, 1, 1])[0]


def invoices_exist(actor: Actor) -> bool:
    """Whether the demo's invoices are there already."""
    return bool(invoice_selectors.tab_counts(actor=actor, filters=invoice_selectors.InvoiceFilters())["all"])

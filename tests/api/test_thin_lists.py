"""Every list that is declared for the short way says by it, byte for byte, what it says by the long one."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, models, transaction
from django.db.models import QuerySet
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from apps.core.clock import today_in, utcnow
from apps.core.money import MAX_MINOR
from apps.core.postgres.pipeline import Statement
from apps.core.rest.paging import PageRequest
from apps.core.rest.thin import Caller, ThinRead
from apps.core.tenants import owner_transaction, read_at_once, tenant_transaction
from apps.iam.api_key_models import ApiKey
from apps.iam.models import TokenFamily
from apps.iam.permissions import ROLE_PERMISSIONS
from apps.invoices.models import Client, Invoice, InvoiceStatus
from apps.notifications.models import Notification
from apps.payments.models import Refund
from apps.tenancy.models import Brand, Domain, DomainKind, Tenant
from apps.tenancy.selectors import TenantView
from tests.factories import invoices as invoicing
from tests.factories import notifications as telling
from tests.factories import payments as paying
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import NewTenant, actor_of, in_tenant
from tests.iam.keys import made, program
from tests.iam.test_thin_reads import is_short, questions

# What the long way alone says, and what differs with each answer.
_OF_ONE_ANSWER = {"Content-Language", "Vary", "X-Correlation-ID", "traceparent", "RateLimit"}
_PAGE = 3
# Right to left, composed, astral, a turn of direction, what JSON and HTML escape.
_HARD = "مُؤسَّسة النور \u200fשלום\u200e 🧾é\u202e\"\\<b>&'\u2028\x7f\t"
_HARD_JSON = {"ק": [0.1, 1e-7, 10**20, -0.0, None, True, {"": "\u0007🙂"}]}


def thin_reads(patterns: list[Any] | None = None, before: str = "/") -> Iterator[tuple[str, ThinRead]]:
    """Every path whose view may be answered by the short way, and how."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from thin_reads(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            read = getattr(getattr(pattern.callback, "cls", None), "thin", None)
            if isinstance(read, ThinRead):
                yield path, read


READS = dict(sorted(thin_reads()))


def both(client: APIClient, path: str, query: str = "", **headers: str) -> tuple[Any, Any]:
    """The answers of the long way, which an empty `fields` asks for and which says nothing, and of the other."""
    long = client.get(f"{path}?{query}&fields=", headers=headers)
    return long, client.get(f"{path}?{query}", headers=headers)


def assert_same(long: Any, short: Any) -> None:
    """Status, headers and bytes."""
    assert (is_short(long), is_short(short)) == (False, True)
    assert (long.status_code, short.status_code) == (200, 200)
    assert short.content == long.content
    headers = [{name: told[name] for name in told.headers if name not in _OF_ONE_ANSWER} for told in (long, short)]
    assert headers[0] == headers[1]


def furnish(tenant: TenantView) -> None:
    """Rows for every list: in every state, with and without what belongs to them."""
    owner = actor_of(tenant)
    domain = Domain.objects.create(tenant_id=tenant.id, domain=f"bills.{tenant.slug}.example", kind=DomainKind.CUSTOM)
    brands = [
        Brand.objects.create(tenant_id=tenant.id, name=name, accent="#0f766e", domain=its)
        for name, its in (("Branded", domain), ("Plain", None))
    ]
    with in_tenant(tenant):
        client = invoicing.make_client(owner)
        drafts = [invoicing.make_draft(owner, client_id=client.id) for _ in range(2)]
        opened = [invoicing.make_open(owner, client_id=client.id) for _ in range(6)]
        invoicing.make_draft(owner, currency="JPY")
        for number in range(_PAGE):
            invoicing.make_client(owner, name=f"Without invoices {number}")
        Client.objects.filter(pk=client.id).update(name="Renamed")
    for number in range(_PAGE + 1):
        paid = paying.make_manual(tenant, paid_at=utcnow())
        with in_tenant(tenant):
            for amount in range(1, number):
                Refund.objects.create(payment_id=paid, amount_minor=amount, currency="EUR")
        telling.tell(tenant, f"Number {number}", roles=ROLE_PERMISSIONS)
    states: list[dict[str, Any]] = [
        {"paid_minor": 1},
        {"due_date": date(2020, 1, 31), "brand_id": brands[0].pk},
        {"status": InvoiceStatus.PAID, "paid_minor": 11900, "paid_at": utcnow(), "brand_id": brands[1].pk},
        {"status": InvoiceStatus.VOID, "voided_at": utcnow()},
        {"status": InvoiceStatus.UNCOLLECTIBLE, "uncollectible_at": utcnow()},
    ]
    with owner_transaction(tenant.schema_name), connection.cursor() as cursor:
        # Past the rules of the lifecycle, which have tests of their own.
        cursor.execute("ALTER TABLE invoices_invoice DISABLE TRIGGER USER")
        for invoice, state in zip(opened, states, strict=False):
            Invoice.objects.filter(pk=invoice.id).update(**state)
        Invoice.objects.filter(pk=drafts[0].id).update(brand_id=brands[0].pk)
        cursor.execute("ALTER TABLE invoices_invoice ENABLE TRIGGER USER")


def stretch(tenant: TenantView, rows: QuerySet[Any, Any]) -> None:
    """Make a row of a list, or of what belongs to one, hold the most that each column may, and another the least."""
    model = rows.model
    with tenant_transaction(tenant.scope):
        own = list(rows.values_list("pk", flat=True).order_by("-pk")[:2])
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"public.{model._meta.db_table}"])
        is_shared = cursor.fetchone() != (None,)
    with owner_transaction("public" if is_shared else tenant.schema_name), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER USER; SET CONSTRAINTS ALL IMMEDIATE")
        for pk, extreme in zip(own, (_most, _least), strict=False):
            for field in model._meta.concrete_fields:
                # What the table itself forbids, or what would hide the row, stays as it is.
                with suppress(IntegrityError, DataError, _Hidden), transaction.atomic():
                    for value in extreme(field):
                        model.objects.filter(pk=pk).update(**{field.attname: value})
                        if not rows.filter(pk=pk).exists():
                            raise _Hidden
        cursor.execute(f"ALTER TABLE {model._meta.db_table} ENABLE TRIGGER USER")


class _Hidden(Exception):
    """The row is not one of the list any more."""


def _most(field: "models.Field[Any, Any]") -> list[Any]:
    match field:
        case models.ForeignKey() | models.UUIDField():
            return []
        case models.GenericIPAddressField():
            return ["::ffff:192.0.2.1"]
        case models.CharField() | models.TextField() if not field.choices:
            return [(_HARD * 2000)[: field.max_length or 2000]]
        case models.SmallIntegerField() | models.BooleanField():
            return []
        case models.IntegerField():
            return [MAX_MINOR]
        case models.DateTimeField():
            return [datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)]
        case models.DateField():
            return [date.max]
        case models.JSONField():
            return [_HARD_JSON]
    return []


def _least(field: "models.Field[Any, Any]") -> list[Any]:
    if field.null and not isinstance(field, models.ForeignKey | models.UUIDField):
        return [None]
    if isinstance(field, models.CharField | models.TextField) and not field.choices:
        return [""]
    return [datetime(1, 1, 1, tzinfo=UTC)] if isinstance(field, models.DateTimeField) else []


@pytest.fixture
def full(committed: NewTenant) -> TenantView:
    """A tenant with rows in every list."""
    tenant = committed("Both ways")
    furnish(tenant)
    return tenant


def test_both_ways_say_the_same(full: TenantView, api: ApiFor) -> None:
    client, caller = api(full), Caller(full.id, telling.user_of(full), utcnow().date())
    assert len(READS) > 1
    for path, read in READS.items():
        rows = read.source.rows(caller)
        for each in (rows, *read.source.beside(caller, rows)):
            stretch(full, each.model.objects.filter(pk__in=each.values("pk")))
        assert_same(client.get(path), client.get(path))
        assert_same(*both(client, path, **{"If-None-Match": "*", "Accept-Language": "ar"}))
        whole, seen, cursor = client.get(f"{path}?limit=100").json()["data"], [], ""
        assert len(whole) > _PAGE, f"{path}: nothing is to be seen here; furnish() it."
        assert any(_HARD[:9] in str(value) for row in whole for value in row.values()), path
        while cursor is not None:
            long, short = both(client, path, f"limit={_PAGE}" + (f"&cursor={cursor}" if cursor else ""))
            assert_same(long, short)
            seen += short.json()["data"]
            cursor = short.json()["next_cursor"]
        assert seen == whole


def test_each_role_may_by_the_short_way_what_it_may_by_the_long_one(full: TenantView, api: ApiFor) -> None:
    for role in ROLE_PERMISSIONS:
        client = api(full, role)
        for path in READS:
            long, short = both(client, path)
            if long.status_code == 200:
                assert_same(long, short)
            else:
                assert (short.status_code, is_short(short)) == (403, False)
                assert short.json()["code"] == long.json()["code"]


def test_a_key_sees_by_it_what_its_scopes_let_it_see(full: TenantView) -> None:
    key = made(full)
    client = program(key.secret)
    found = {path: both(client, path) for path in READS}
    for path, (long, short) in found.items():
        if long.status_code == 200:
            assert_same(long, short)
        else:
            assert (short.status_code, short.json()["code"]) == (403, "not_for_api_keys"), path
    assert sum(long.status_code == 200 for long, _ in found.values()) > 1
    rows = ApiKey.objects.filter(pk=key.key.id)
    rows.update(scopes=[])
    assert {client.get(path).status_code for path in READS} == {403}
    rows.update(revoked_at=utcnow())
    assert {client.get(path).status_code for path in READS} == {401}


def test_nobody_sees_by_it_what_is_another_tenants(full: TenantView, committed: NewTenant, api: ApiFor) -> None:
    other = committed("Next door")
    # The same person is told things in both.
    told = Notification.objects.filter(tenant_id=full.id, user_id=telling.user_of(full))
    Notification.objects.filter(tenant_id=other.id).delete()
    told.update(user_id=telling.user_of(other))
    clients = {full.id: api(full), other.id: api(other)}
    for path in READS:
        ids: list[set[str]] = []
        for client in clients.values():
            long, short = both(client, path)
            assert_same(long, short)
            ids.append({row["id"] for row in short.json()["data"]})
        assert not ids[0] & ids[1], path


def test_after_revocation_no_list_is_shown(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("Revoked")
    client = api(tenant)
    assert all(is_short(both(client, path)[1]) for path in READS)
    TokenFamily.objects.filter(user_id=telling.user_of(tenant)).update(revoked_at=utcnow())
    for path in READS:
        answer = client.get(path)
        assert (answer.status_code, is_short(answer)) == (401, False)


def test_each_is_one_question_and_what_is_asked_together_sees_the_same_rows(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("One question")
    client, caller = api(tenant), Caller(tenant.id, telling.user_of(tenant), utcnow().date())
    isolation = Statement.of("SELECT current_setting('transaction_isolation')"), ()
    for path, read in READS.items():
        client.get(path)
        with questions() as asked:
            assert is_short(client.get(path))
            assert asked() == 1
        message = read.asked(isolation, caller, PageRequest())
        if len(message) > 2:
            assert read_at_once(*message[:2]) == [[("repeatable read",)]], path


def test_a_tenants_day_is_the_one_of_its_present_zone(committed: NewTenant, api: ApiFor) -> None:
    zones = ("Etc/GMT+12", "Pacific/Kiritimati")  # never on the same day
    tenant = committed("Zones")
    own = Tenant.objects.filter(pk=tenant.id)
    own.update(time_zone=zones[0])
    with in_tenant(tenant):
        invoicing.make_open(actor_of(tenant), due_date=today_in(zones[0]))
    client, late = api(tenant), []
    for zone in zones:
        own.update(time_zone=zone)
        for path in READS:
            assert_same(client.get(path), client.get(path))
        late.append(client.get("/api/v1/clients").json()["data"][0]["balances"][0]["overdue_minor"])
    assert late == [0, 11900]

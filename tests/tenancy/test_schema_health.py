"""Schema health: what operators see of all schemas, and what they may do about it."""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.core.clock import utcnow
from apps.core.tenants import owner_transaction
from apps.tenancy import schema_drift, services, tasks
from apps.tenancy.models import SchemaReport, Tenant, TenantStatus
from apps.tenancy.schema_drift import check_schemas, differences, drifted
from apps.tenancy.schema_health import schema_health
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator
from tests.tenancy.conftest import Grow
from tests.tenancy.test_migrating_tenants import NOTE, make, run

HEALTH = "admin:tenancy_schemareport_changelist"


def _client(role: str) -> Client:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    client.post("/admin/login/", {"username": operator(role), "password": PASSWORD, "next": "/admin/"})
    return client


def _change(tenant: TenantView, statement: str) -> None:
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(statement.format(schema=tenant.schema_name))


def test_standing_tenants_do_not_differ(acme: TenantView, globex: TenantView) -> None:
    assert drifted([acme.schema_name, globex.schema_name]) == set()
    assert differences(acme.schema_name) == []


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("alter table {schema}.ledger_account add extra text", "of its own: column ledger_account.extra text"),
        (
            "alter table {schema}.ledger_account alter name drop not null",
            "missing: column ledger_account.name character varying{} not null",
        ),
        ("create index strange on {schema}.ledger_account (name)", "of its own: CREATE INDEX strange ON"),
        ("drop trigger ledger_entry_unchanged on {schema}.ledger_entry", "missing: CREATE TRIGGER ledger_entry_unch"),
        ("alter table {schema}.ledger_entry disable trigger ledger_entry_unchanged", "of its own: CREATE TRIGGER"),
        (
            "create function {schema}.odd() returns int language sql as 'select 1'",
            "of its own: CREATE OR REPLACE FUNCTION odd",
        ),
        ("alter table {schema}.ledger_account add constraint odd check (true)", "of its own: constraint ledger_acc"),
        ("grant select on {schema}.ledger_account to public", "of its own: rights ledger_account owned by"),
        ("revoke insert on {schema}.ledger_account from insula_tenant", "of its own: rights ledger_account owned by"),
        ("grant usage on schema {schema} to insula_tenant", "of its own: rights on the schema"),
        (
            "alter table {schema}.ledger_account enable row level security",
            "of its own: rights ledger_account owned by insula_owner insula_tenant DELETE,",
        ),
    ],
)
def test_every_kind_of_difference_is_found(acme: TenantView, globex: TenantView, statement: str, line: str) -> None:
    _change(acme, statement)
    assert drifted([acme.schema_name, globex.schema_name]) == {acme.schema_name}
    found = "\n".join(differences(acme.schema_name))
    assert line.split("{", maxsplit=1)[0] in found


def test_a_schema_that_is_gone_differs(acme: TenantView) -> None:
    assert drifted(["t_gone"]) == {"t_gone"}


def test_those_not_looked_at_for_longest_are_compared_first(acme: TenantView, globex: TenantView) -> None:
    _change(globex, "alter table {schema}.ledger_account add extra text")
    SchemaReport.objects.create(schema_name=acme.schema_name, checked_at=utcnow(), failure="kept")
    others = Tenant.objects.exclude(schema_version="").exclude(pk__in=[acme.id, globex.id]).count()
    assert check_schemas(others + 1) == 1
    assert SchemaReport.objects.get(schema_name=globex.schema_name).drift == (
        "of its own: column ledger_account.extra text"
    )
    assert check_schemas(1000) == 1
    assert SchemaReport.objects.get(schema_name=acme.schema_name).failure == "kept"
    _change(globex, "alter table {schema}.ledger_account drop extra")
    assert check_schemas(1000) == 0
    assert SchemaReport.objects.get(schema_name=globex.schema_name).drift == ""


def test_a_long_list_of_differences_is_cut(acme: TenantView) -> None:
    count = schema_drift.KEPT_LINES + 5
    _change(acme, "".join(f"alter table {{schema}}.ledger_account add extra{n} text;" for n in range(count)))
    check_schemas(1000)
    lines = SchemaReport.objects.get(schema_name=acme.schema_name).drift.splitlines()
    assert len(lines) == schema_drift.KEPT_LINES + 1
    assert lines[-1] == "and 5 more"


def test_what_is_behind_and_why(grow: Grow) -> None:
    fine, refusing = make("Alpha"), make("Beta")
    _change_row(refusing, "alter table {schema}.ledger_account add note integer")
    grow("0901_note", NOTE)
    health = schema_health()
    assert (health.template_is_behind, health.behind_count, health.failed_count) == (True, 2, 0)
    run()
    health = schema_health()
    assert (health.template_is_behind, health.behind_count, health.failed_count) == (False, 1, 1)
    row = health.behind[0]
    assert (row.name, row.attempts) == ("Beta", 1)
    assert "already exists" in row.note
    assert health.tenants == 2

    _change_row(refusing, "alter table {schema}.ledger_account drop note")
    tasks.migrate_tenant(refusing.key)
    assert schema_health().behind_count == 0
    tasks.check_schemas()
    health = schema_health()
    assert (health.drifted_count, health.never_checked) == (0, 0)
    assert fine.schema_name in set(SchemaReport.objects.values_list("schema_name", flat=True))


def _change_row(tenant: Tenant, statement: str) -> None:
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(statement.format(schema=tenant.schema_name))


def test_stuck_sign_ups_are_listed_with_their_reason(acme: TenantView) -> None:
    tenant = services.create_tenant(actor=system(), name="Stuck")
    assert "Stuck" not in [row.name for row in schema_health().stuck]
    Tenant.objects.filter(pk=tenant.id).update(provisioning_started_at=utcnow().replace(year=2020))
    assert [row.note for row in schema_health().stuck if row.name == "Stuck"] == ["Queued"]
    Tenant.objects.filter(pk=tenant.id).update(status=TenantStatus.PROVISIONING_FAILED, status_reason="No room")
    assert [row.note for row in schema_health().stuck if row.name == "Stuck"] == ["No room"]


@pytest.fixture
def drifting(acme: TenantView) -> TenantView:
    """Acme, found to differ, and behind with a reason."""
    Tenant.objects.filter(pk=acme.id).update(schema_version="of another time")
    SchemaReport.objects.create(
        schema_name=acme.schema_name,
        failure="ProgrammingError: no such thing",
        failed_at=utcnow(),
        attempts=2,
        drift="missing: <b>bold</b>",
        checked_at=utcnow(),
    )
    return acme


@pytest.mark.parametrize("role", ["PLATFORM_ADMIN", "PLATFORM_SUPPORT"])
def test_the_page_shows_it_to_operators(drifting: TenantView, role: str) -> None:
    page = _client(role).get(reverse(HEALTH))
    text = page.content.decode()
    assert page.status_code == 200
    assert "ProgrammingError: no such thing" in text
    assert "missing: &lt;b&gt;bold" in text
    assert ("Migrate again" in text) is (role == "PLATFORM_ADMIN")
    assert ("Compare now" in text) is (role == "PLATFORM_ADMIN")


def test_strangers_see_nothing(acme: TenantView) -> None:
    answer = Client(SERVER_NAME=settings.PLATFORM_HOST).get(reverse(HEALTH))
    assert (answer.status_code, "/admin/login/" in answer["Location"]) == (302, True)


def test_migrating_again_asks_and_is_audited(drifting: TenantView, django_capture_on_commit_callbacks: Any) -> None:
    client = _client("PLATFORM_ADMIN")
    url = reverse("admin:tenancy_schemareport_migrate", args=[drifting.id])
    assert "no such thing" in client.get(url).content.decode()
    assert client.post(url, {"reason": ""}).status_code == 200
    with django_capture_on_commit_callbacks() as hints:
        assert client.post(url, {"reason": "Fixed by hand"}).status_code == 302
    # The entry in the trail is counted, and a worker is told.
    assert len(hints) == 2
    entry = AuditEntry.objects.filter(action="tenancy.schema.migrate").latest("id")
    assert (entry.tenant_id, entry.after["reason"]) == (drifting.id, "Fixed by hand")


def test_comparing_now_takes_a_post_and_is_audited(acme: TenantView) -> None:
    client = _client("PLATFORM_ADMIN")
    url = reverse("admin:tenancy_schemareport_check")
    client.get(url)
    assert not AuditEntry.objects.filter(action="tenancy.schema.check").exists()
    assert client.post(url).status_code == 302
    assert AuditEntry.objects.filter(action="tenancy.schema.check").count() == 1


def test_support_may_look_and_not_act(drifting: TenantView) -> None:
    client = _client("PLATFORM_SUPPORT")
    migrate = reverse("admin:tenancy_schemareport_migrate", args=[drifting.id])
    assert client.post(migrate, {"reason": "Because"}).status_code == 403
    assert client.post(reverse("admin:tenancy_schemareport_check")).status_code == 403
    assert not AuditEntry.objects.filter(action__startswith="tenancy.schema.").exists()

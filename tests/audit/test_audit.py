"""The trail: complete, redacted, append-only, each tenant its own."""

import pytest
from django.db import DatabaseError, connection, transaction

from apps.audit import services
from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor


def write(tenant: TenantView, label: str = "x") -> None:
    services.record(
        actor=system(tenant.id),
        action="invoices.invoice.probe",
        entity_type="invoice",
        entity_id="1",
        entity_label=label,
    )


def test_the_database_refuses_to_rewrite_history(acme: TenantView) -> None:
    write(acme)
    for statement in ("update audit_entry set action = 'x.y.z'", "delete from audit_entry", "truncate audit_entry"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_secrets_are_redacted_wherever_they_stand(acme: TenantView) -> None:
    services.record(
        actor=system(acme.id),
        action="iam.user.probe",
        entity_type="user",
        entity_id="1",
        after={"email": "a@b.test", "password": "hunter2", "nested": [{"api_token": "t", "n": 1}]},
    )
    after = AuditEntry.objects.get(action="iam.user.probe").after
    assert after == {"email": "a@b.test", "password": "[redacted]", "nested": [{"api_token": "[redacted]", "n": 1}]}


@pytest.mark.parametrize("action", ["created", "invoices.created", "invoices.Invoice.create", "a.b.c.d"])
def test_actions_have_one_form(acme: TenantView, action: str) -> None:
    with pytest.raises(ValueError, match=r"app\.noun\.verb"):
        services.record(actor=system(acme.id), action=action, entity_type="x", entity_id="1")


def test_a_tenant_reads_only_its_own(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    write(acme, "ours")
    write(globex, "theirs")
    foreign = AuditEntry.objects.get(entity_label="theirs")
    client = api(acme)
    labels = {entry["entity_label"] for entry in client.get("/api/v1/audit?limit=100").json()["data"]}
    assert "ours" in labels
    assert "theirs" not in labels
    assert client.get(f"/api/v1/audit/{foreign.id}").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"), [("OWNER", 200), ("ADMIN", 200), ("ACCOUNTANT", 403), ("MEMBER", 403), ("VIEWER", 403)]
)
def test_who_may_read_it(acme: TenantView, api: ApiFor, role: str, status: int) -> None:
    assert api(acme, role).get("/api/v1/audit").status_code == status


def test_pages_follow_the_cursor_without_gap_or_repeat(acme: TenantView, api: ApiFor) -> None:
    for number in range(7):
        write(acme, f"n{number}")
    client = api(acme)
    seen: list[str] = []
    cursor = ""
    while True:
        body = client.get(f"/api/v1/audit?limit=2&entity_type=invoice{cursor}").json()
        seen += [entry["entity_label"] for entry in body["data"]]
        if not body["has_more"]:
            break
        write(acme, "late")
        cursor = f"&cursor={body['next_cursor']}"
    assert seen == [f"n{number}" for number in reversed(range(7))]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=%00", "cursor=abc"])
def test_bad_paging_is_a_clear_400(acme: TenantView, api: ApiFor, query: str) -> None:
    answer = api(acme).get(f"/api/v1/audit?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in {"limit", "cursor"}

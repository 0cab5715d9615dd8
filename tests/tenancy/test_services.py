"""Creating and provisioning tenants: idempotent, resumable, and identical to what migrations make."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.core.errors import IllegalState
from apps.core.tenants import owner_transaction, tenant_transaction
from apps.tenancy import lifecycle, roles, schema_script, selectors, services
from apps.tenancy.errors import NameTaken
from apps.tenancy.models import SchemaTemplate, Tenant, TenantStatus
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import NewTenant


def structure(schema: str) -> list[tuple[str, ...]]:
    """Every column, constraint, index, trigger and function of a schema, with the schema's own name blanked."""
    statements = (
        "select 'column', table_name, column_name, data_type, is_nullable, coalesce(column_default, ''), is_identity "
        "from information_schema.columns where table_schema = %(s)s",
        "select 'constraint', c.relname, k.conname, pg_get_constraintdef(k.oid), '', '', '' from pg_constraint k "
        "join pg_class c on c.oid = k.conrelid where c.relnamespace = %(s)s::regnamespace and k.contype <> 'n'",
        "select 'index', tablename, indexname, indexdef, '', '', '' from pg_indexes where schemaname = %(s)s",
        "select 'trigger', c.relname, t.tgname, pg_get_triggerdef(t.oid), '', '', '' from pg_trigger t "
        "join pg_class c on c.oid = t.tgrelid where c.relnamespace = %(s)s::regnamespace and not t.tgisinternal",
        "select 'function', p.proname, '', pg_get_functiondef(p.oid), '', '', '' from pg_proc p "
        "where p.pronamespace = %(s)s::regnamespace",
    )
    found: list[tuple[str, ...]] = []
    with owner_transaction(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, {"s": schema})
            found += [tuple(_plain(value.replace(schema, "S")) for value in row) for row in cursor.fetchall()]
    return sorted(found)


def _plain(definition: str) -> str:
    # PostgreSQL prints a list of texts with other casts and brackets once it was parsed from its own print.
    return re.sub(r"::(character varying|text)(\[\])?|[()]", "", definition)


def test_a_provisioned_schema_is_what_migrations_make(acme: TenantView) -> None:
    assert structure(acme.schema_name) == structure(schema_script.TEMPLATE_SCHEMA)


def test_the_stored_script_is_the_templates(acme: TenantView) -> None:
    with owner_transaction(schema_script.TEMPLATE_SCHEMA):
        version, _ = schema_script.build()
    assert SchemaTemplate.objects.filter(version=version).exists()


def test_provisioning_twice_changes_nothing(acme: TenantView) -> None:
    before = AuditEntry.objects.filter(tenant_id=acme.id).count()
    services.provision_tenant(tenant_id=acme.id)
    assert selectors.tenant_by_id(acme.id) == acme
    assert AuditEntry.objects.filter(tenant_id=acme.id).count() == before


def test_eight_workers_provision_one_tenant_once(committed: NewTenant) -> None:
    committed("Neighbour")
    tenant = services.create_tenant(actor=system(), name="Raced")

    def work(_: int) -> None:
        try:
            services.provision_tenant(tenant_id=tenant.id)
        finally:
            connections.close_all()

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert selectors.tenant_by_id(tenant.id).status == TenantStatus.ACTIVE
        changes = AuditEntry.objects.filter(tenant_id=tenant.id, action="tenancy.tenant.change_status")
        assert changes.count() == 1
    finally:
        roles.drop_schema(tenant.schema_name)
        Tenant.objects.filter(pk=tenant.id).delete()


def test_a_failed_step_is_named_and_can_be_retried(acme: TenantView) -> None:
    script = SchemaTemplate.objects.get()
    good = script.script
    SchemaTemplate.objects.update(script="CREATE TABLE broken (id no_such_type);")
    tenant = services.create_tenant(actor=system(), name="Broken")
    services.provision_tenant(tenant_id=tenant.id)
    row = Tenant.objects.get(pk=tenant.id)
    assert row.status == TenantStatus.PROVISIONING_FAILED
    assert "no_such_type" in row.status_reason

    SchemaTemplate.objects.update(script=good)
    services.retry_provisioning(actor=system(tenant.id), tenant_id=tenant.id)
    services.provision_tenant(tenant_id=tenant.id)
    assert selectors.tenant_by_id(tenant.id).status == TenantStatus.ACTIVE


def test_a_taken_name_is_refused_whatever_its_spacing(acme: TenantView) -> None:
    with pytest.raises(NameTaken):
        services.create_tenant(actor=system(), name="  Acme ")


def test_names_with_one_slug_get_hosts_of_their_own(acme: TenantView) -> None:
    first = services.create_tenant(actor=system(), name="Blue Sky")
    second = services.create_tenant(actor=system(), name="Blue-Sky")
    assert first.slug == "blue-sky"
    assert second.slug == f"blue-sky-{second.key[:4]}"


@pytest.mark.parametrize("name", ["www", "admin", "日本", "!!!", "a" * 100])
def test_every_name_gets_a_usable_host(acme: TenantView, name: str) -> None:
    tenant = services.create_tenant(actor=system(), name=name)
    Tenant.objects.get(pk=tenant.id).full_clean(exclude=["schema_name"])
    assert tenant.slug not in services.RESERVED_SLUGS


@pytest.mark.parametrize("before", TenantStatus.values)
@pytest.mark.parametrize("after", TenantStatus.values)
def test_every_pair_of_states(before: str, after: str) -> None:
    legal = {
        ("PROVISIONING", "ACTIVE"),
        ("PROVISIONING", "PROVISIONING_FAILED"),
        ("PROVISIONING_FAILED", "PROVISIONING"),
        ("PROVISIONING_FAILED", "DELETED"),
        ("ACTIVE", "SUSPENDED"),
        ("ACTIVE", "DELETED"),
        ("SUSPENDED", "ACTIVE"),
        ("SUSPENDED", "DELETED"),
    }
    if (before, after) in legal:
        lifecycle.check(before, after)
    else:
        with pytest.raises(IllegalState) as refusal:
            lifecycle.check(before, after)
        assert refusal.value.extra["allowed_actions"] == lifecycle.allowed_actions(before)


def test_stuck_tenants_are_given_up(acme: TenantView) -> None:
    tenant = services.create_tenant(actor=system(), name="Stuck")
    Tenant.objects.filter(pk=tenant.id).update(
        provisioning_started_at=Tenant.objects.get(pk=tenant.id).created_at - services.STUCK_AFTER * 2
    )
    assert services.fail_stuck_tenants() == 1
    assert selectors.tenant_by_id(tenant.id).status == TenantStatus.PROVISIONING_FAILED


def test_what_one_tenant_writes_the_other_does_not_see(acme: TenantView, globex: TenantView) -> None:
    with owner_transaction(acme.schema_name), connection.cursor() as cursor:
        cursor.execute("create table probe as select 1 as n")
    with tenant_transaction(globex.scope), connection.cursor() as cursor:
        cursor.execute("select to_regclass('probe')")
        assert cursor.fetchone()[0] is None

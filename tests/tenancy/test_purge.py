"""Removing a tenant for good: everything of it and nothing else, once, however often it is killed on the way."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models.deletion import Collector

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind, system
from apps.core.clock import utcnow
from apps.core.errors import IllegalState
from apps.core.tenants import public_scope
from apps.iam.models import Membership, RefreshToken, TokenFamily, User
from apps.notifications.models import Notification
from apps.tenancy import deleting, purging, roles, selectors, services
from apps.tenancy import tasks as tenancy_tasks
from apps.tenancy.models import Domain, ExternalRef, Tenant
from apps.tenancy.selectors import TenantView
from tests.factories import invoices as invoice_factory
from tests.factories import notifications as notification_factory
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import NewTenant, actor_of, in_tenant
from tests.iam.threads import at_once

OPERATOR = Actor(ActorKind.OPERATOR, name="Op", permissions=frozenset({"platform:read", "platform:write"}))
STEPS = ("drop_schema", "remove_files", "_remove_rows", "_finish")


class Killed(BaseException):
    """The worker dies here; nothing catches it."""


@pytest.fixture
def doomed(committed: NewTenant, api: ApiFor) -> Iterator[TenantView]:
    """A tenant with something in each place, deleted, its grace over."""
    tenant = committed("Doomed House")
    people = list(Membership.objects.filter(tenant_id=tenant.id).values_list("user_id", flat=True))
    api(tenant)
    with in_tenant(tenant):
        invoice_factory.make_open(actor_of(tenant))
    notification_factory.tell(tenant)
    for folder in ("tenants", "archives"):
        default_storage.save(f"{folder}/{tenant.id}/a/b/file.txt", ContentFile(b"kept"))
    deleting.delete_tenant(actor=system(tenant.id), tenant_id=tenant.id, now=_long_ago())
    yield tenant
    User.objects.filter(pk__in=people).delete()


def _long_ago() -> datetime:
    return utcnow() - timedelta(days=400)


def _left_of(tenant: TenantView) -> dict[str, int]:
    left: dict[str, int] = {}
    with public_scope(), connection.cursor() as cursor:
        for model in purging.shared_models_of_tenants():
            left[model._meta.label_lower] = model._default_manager.filter(tenant_id=tenant.id).count()
        cursor.execute("select count(*) from pg_namespace where nspname = %s", [tenant.schema_name])
        left["schema"] = cursor.fetchone()[0]
        cursor.execute("select count(*) from pg_roles where rolname = %s", [tenant.schema_name])
        left["role"] = cursor.fetchone()[0]
        left["tenant"] = Tenant.objects.filter(pk=tenant.id).count()
    left["files"] = sum(default_storage.exists(prefix) for prefix in purging.files_of(tenant.id))
    return {name: number for name, number in left.items() if number}


def test_everything_goes_and_the_trail_stays(doomed: TenantView, standing_tenants: tuple[TenantView, ...]) -> None:
    before = {tenant.slug: _left_of(tenant) for tenant in standing_tenants}
    standing = _left_of(doomed)
    assert standing.keys() >= {"schema", "role", "tenant", "files", "iam.membership", "iam.tokenfamily"}
    assert standing.keys() >= {"tenancy.domain", "notifications.notification", "tenancy.externalref"}
    trail = AuditEntry.objects.filter(tenant_id=doomed.id).count()

    assert purging.purge_tenant(tenant_id=doomed.id)
    assert _left_of(doomed) == {}
    assert AuditEntry.objects.filter(tenant_id=doomed.id).count() == trail + 1
    entry = AuditEntry.objects.filter(tenant_id=doomed.id).latest("id")
    assert (entry.action, entry.before["slug"]) == ("tenancy.tenant.purge", doomed.slug)
    assert {tenant.slug: _left_of(tenant) for tenant in standing_tenants} == before
    assert User.objects.filter(email=f"owner@{doomed.slug}.test").exists(), "people belong to themselves"


def test_name_and_address_are_free_again(doomed: TenantView, committed: NewTenant) -> None:
    purging.purge_tenant(tenant_id=doomed.id)
    again = committed(doomed.name)
    assert (again.slug, again.id != doomed.id) == (doomed.slug, True)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_a_worker_that_dies_is_taken_over(
    doomed: TenantView, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    holder: Any = roles if step == "drop_schema" else purging
    real = getattr(holder, step)

    def dies(*args: Any, **kwargs: Any) -> None:
        if after:
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(holder, step, dies)
        with pytest.raises(Killed):
            purging.purge_tenant(tenant_id=doomed.id)
    if after and step == "_finish":
        assert not purging.purge_tenant(tenant_id=doomed.id)
    else:
        with pytest.raises(IllegalState):
            deleting.restore_tenant(actor=OPERATOR, tenant_id=doomed.id)
        assert purging.purge_tenant(tenant_id=doomed.id)
    assert _left_of(doomed) == {}
    assert AuditEntry.objects.filter(tenant_id=doomed.id, action="tenancy.tenant.purge").count() == 1


def test_four_workers_purge_once(doomed: TenantView) -> None:
    at_once(4, lambda _: tenancy_tasks.purge_deleted())
    assert _left_of(doomed) == {}
    assert AuditEntry.objects.filter(tenant_id=doomed.id, action="tenancy.tenant.purge").count() == 1


def test_either_purged_or_restored_and_never_half(committed: NewTenant) -> None:
    for number in range(3):
        tenant = committed(f"Contested {number}")
        deleting.delete_tenant(actor=system(tenant.id), tenant_id=tenant.id, now=_long_ago())

        def act(which: int, tenant: TenantView = tenant) -> bool:
            if which:
                return purging.purge_tenant(tenant_id=tenant.id)
            try:
                deleting.restore_tenant(actor=OPERATOR, tenant_id=tenant.id)
            except (IllegalState, Exception) as refusal:
                assert getattr(refusal, "status", 0) in (404, 409), refusal
                return False
            return True

        restored, purged = at_once(2, act)
        assert restored is not purged
        left = _left_of(tenant)
        assert ("schema" in left, "tenant" in left, "iam.membership" in left) == (restored,) * 3
        if restored:
            assert selectors.tenant_by_id(tenant.id).is_active


def test_two_deletions_are_one(committed: NewTenant) -> None:
    tenant = committed("Twice Deleted")

    def delete(_: int) -> str:
        try:
            deleting.delete_tenant(actor=system(tenant.id), tenant_id=tenant.id)
        except IllegalState:
            return "refused"
        return "deleted"

    assert sorted(at_once(2, delete)) == ["deleted", "refused"]
    changes = AuditEntry.objects.filter(tenant_id=tenant.id, after__status="DELETED")
    assert changes.count() == 1


def test_a_tenant_that_is_being_prepared_is_deleted_before_or_after_but_not_meanwhile(committed: NewTenant) -> None:
    committed("Neighbour")
    tenant = services.create_tenant(actor=system(), name="Hasty")

    def act(which: int) -> str:
        if which:
            services.provision_tenant(tenant_id=tenant.id)
            return "prepared"
        try:
            deleting.delete_tenant(actor=system(tenant.id), tenant_id=tenant.id, now=_long_ago())
        except IllegalState:
            return "refused"
        return "deleted"

    try:
        deleted, _prepared = at_once(2, act)
        status = selectors.tenant_by_id(tenant.id).status
        assert (deleted, status) in {("refused", "ACTIVE"), ("deleted", "DELETED")}
    finally:
        if status != "DELETED":
            deleting.delete_tenant(actor=system(tenant.id), tenant_id=tenant.id, now=_long_ago())
        assert purging.purge_tenant(tenant_id=tenant.id)
    assert _left_of(tenant) == {}


def test_what_is_not_due_stays(acme: TenantView) -> None:
    assert not purging.purge_tenant(tenant_id=acme.id)
    deleting.delete_tenant(actor=OPERATOR, tenant_id=acme.id)
    assert purging.due_tenants() == []
    assert not purging.purge_tenant(tenant_id=acme.id)
    later = utcnow() + timedelta(days=31)
    assert purging.due_tenants(now=later) == [acme.id]


def test_one_that_cannot_be_purged_stops_no_other(committed: NewTenant) -> None:
    stubborn, ready = committed("Stubborn"), committed("Ready To Go")
    for tenant, days in ((stubborn, 500), (ready, 400)):
        long_ago = utcnow() - timedelta(days=days)
        deleting.delete_tenant(actor=system(tenant.id), tenant_id=tenant.id, now=long_ago)
    Tenant.objects.filter(pk=stubborn.id).update(schema_name="not a schema")
    try:
        with pytest.raises(ValueError, match="schema name"):
            purging.purge_tenant(tenant_id=stubborn.id)
        assert purging.purge_due() == 1
        assert _left_of(ready) == {}
    finally:
        Tenant.objects.filter(pk=stubborn.id).update(schema_name=stubborn.schema_name)


def test_rows_that_nothing_refers_to_are_deleted_without_being_loaded() -> None:
    """Spent tokens go by the hundred thousand; a listener to every model would have each of them read first."""
    assert Collector(using=DEFAULT_DB_ALIAS).can_fast_delete(RefreshToken.objects.all())


def test_every_shared_table_with_a_tenant_is_known_save_the_trail(acme: TenantView) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_name from information_schema.columns where table_schema = 'public'"
            " and column_name = 'tenant_id'"
        )
        tables = {row[0] for row in cursor.fetchall()}
    assert tables == {model._meta.db_table for model in purging.shared_models_of_tenants()} | {"audit_entry"}
    assert {Domain, ExternalRef, Membership, Notification, TokenFamily} <= set(purging.shared_models_of_tenants())


def test_a_worker_that_was_overtaken_leaves_the_next_tenant_of_that_id_alone(
    doomed: TenantView, committed: NewTenant
) -> None:
    slow = purging._begin(doomed.id, utcnow())
    assert slow is not None
    assert purging.purge_tenant(tenant_id=doomed.id)
    newcomer = Tenant.objects.create(id=doomed.id, name="Came Back", slug="came-back", schema_name=doomed.schema_name)
    kept = default_storage.save(f"tenants/{doomed.id}/kept.txt", ContentFile(b"kept"))
    try:
        assert not purging._carry_out(slow)
        assert Tenant.objects.filter(pk=newcomer.id).exists() and default_storage.exists(kept)
    finally:
        newcomer.delete()
        purging.remove_files(default_storage, f"tenants/{doomed.id}")

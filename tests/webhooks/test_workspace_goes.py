"""Workspaces that are suspended, deleted, restored or purged while something is sent for them."""

import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from django.db import connection, connections

from apps.core.clock import utcnow
from apps.core.tenants import public_scope
from apps.tenancy import deleting, jobs, purging, selectors
from apps.tenancy import services as tenancy
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from apps.webhooks import tasks
from tests.factories.webhooks import Receiver, deliveries, make_due, owe, states, stored, turn
from tests.fixtures.tenants import NewTenant
from tests.fixtures.threads import at_once
from tests.tenancy.test_life_jobs import OPERATOR

AFTER_GRACE = timedelta(days=400)


def suspend(tenant: TenantView) -> None:
    tenancy.suspend_tenant(actor=OPERATOR, tenant_id=tenant.id)


def reactivate(tenant: TenantView) -> None:
    tenancy.reactivate_tenant(actor=OPERATOR, tenant_id=tenant.id)


def delete(tenant: TenantView) -> None:
    deleting.delete_tenant(actor=OPERATOR, tenant_id=tenant.id)


def restore(tenant: TenantView) -> None:
    deleting.restore_tenant(actor=OPERATOR, tenant_id=tenant.id)


def delete_and_purge(tenant: TenantView) -> bool:
    delete(tenant)
    return purging.purge_tenant(tenant_id=tenant.id, now=utcnow() + AFTER_GRACE)


def deliver(tenant: TenantView, endpoint_id: object) -> object:
    """As a worker does that was hinted at."""
    return tasks.deliver.run(str(tenant.id), str(endpoint_id))


def left_of(tenant: TenantView) -> int:
    """Rows, schema and role that still speak of a tenant."""
    with public_scope(), connection.cursor() as cursor:
        rows = sum(
            model._default_manager.filter(tenant_id=tenant.id).count() for model in purging.shared_models_of_tenants()
        )
        cursor.execute("select count(*) from pg_namespace where nspname = %s", [tenant.schema_name])
        return rows + int(cursor.fetchone()[0]) + Tenant.objects.filter(pk=tenant.id).count()


def _first(change: Callable[[], object]) -> Callable[[BaseHTTPRequestHandler], None]:
    """What a receiver does that lets `change` happen while it is asked for the first time."""
    done = threading.Event()

    def act(request: BaseHTTPRequestHandler) -> None:
        if not done.is_set():
            done.set()
            try:
                change()
            finally:
                connections.close_all()
        request.send_response(204)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return act


@pytest.mark.parametrize(("leave", "come_back"), [(suspend, reactivate), (delete, restore)])
def test_who_leaves_within_a_turn_is_sent_nothing_more_until_he_is_back(
    committed: NewTenant,
    receiver: Receiver,
    leave: Callable[[TenantView], None],
    come_back: Callable[[TenantView], None],
) -> None:
    tenant = committed("Leaving within a turn")
    endpoint_id = owe(tenant, receiver.url, 4)
    receiver.act = _first(lambda: leave(tenant))
    turn(tenant, endpoint_id, total_seconds=60)
    # The call that was under way is noted; nothing after it was made.
    assert len(receiver.calls) == 1 and sorted(states(tenant)) == ["PENDING"] * 3 + ["SUCCEEDED"]
    assert stored(tenant, endpoint_id).failing_since is None
    deliver(tenant, endpoint_id)
    tasks.sweep.run()
    assert len(receiver.calls) == 1
    come_back(tenant)
    deliver(tenant, endpoint_id)
    assert states(tenant) == ["SUCCEEDED"] * 4
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == len(receiver.calls) == 4


def test_a_worker_that_died_before_the_deletion_leaves_its_message_for_the_return(
    committed: NewTenant, receiver: Receiver
) -> None:
    tenant = committed("Restored hooks")
    endpoint_id = owe(tenant, receiver.url)

    class Died(BaseException):
        """The worker ends here; nothing catches it."""

    def dies(_: object) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Died):
        patch.setattr("apps.webhooks.calling.call", lambda *_, **__: dies(None))
        deliver(tenant, endpoint_id)
    assert states(tenant) == ["SENDING"]
    delete(tenant)
    make_due(tenant)
    deliver(tenant, endpoint_id)
    assert states(tenant) == ["SENDING"] and receiver.calls == []
    restore(tenant)
    deliver(tenant, endpoint_id)
    assert states(tenant) == ["SUCCEEDED"] and len(receiver.calls) == 1


def test_a_purge_does_not_wait_for_a_call_and_the_worker_ends_quietly(committed: NewTenant, receiver: Receiver) -> None:
    tenant, hold = committed("Purged within a call"), threading.Event()
    receiver.act = lambda _: hold.wait(60) and None
    endpoint_id = owe(tenant, receiver.url, 3)

    def purge() -> bool:
        try:
            receiver.wait_for(1)
            return delete_and_purge(tenant)
        finally:
            # Only now the receiver lets go: the purge was through before.
            hold.set()

    assert at_once([lambda: deliver(tenant, endpoint_id), purge]) == [None, True]
    assert len(receiver.calls) == 1 and left_of(tenant) == 0
    # Hints and sweeps that come late find nobody.
    assert deliver(tenant, endpoint_id) is None
    tasks.sweep.run()
    newcomer = committed("Purged within a call")
    assert newcomer.slug == tenant.slug and deliveries(newcomer) == []


def test_busy_workers_and_a_purge_do_not_get_in_each_others_way(committed: NewTenant, receiver: Receiver) -> None:
    tenant = committed("Purged while busy")
    receiver.answers = [500, 204] * 20
    endpoints = [owe(tenant, f"{receiver.url}/{number}", 4) for number in range(3)]
    work = [lambda one=one: deliver(tenant, one) for one in endpoints]

    def purge() -> bool:
        receiver.wait_for(3)
        return delete_and_purge(tenant)

    assert at_once([*work, purge]) == [None, None, None, True]
    assert left_of(tenant) == 0


@pytest.mark.parametrize("step", ["remove_files", "_remove_rows", "_finish"])
def test_a_purge_that_died_half_way_leaves_sweeps_and_hints_harmless(
    committed: NewTenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class Killed(BaseException):
        """The purging worker dies here."""

    def dies(*_: object, **__: object) -> None:
        raise Killed

    tenant = committed("Half purged hooks")
    endpoint_id = owe(tenant, receiver.url)
    known = selectors.tenant_by_id(tenant.id)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(purging, step, dies)
        delete_and_purge(tenant)
    deliver(tenant, endpoint_id)
    tasks.sweep.run()
    tasks.purge.run()
    # One that listed the workspaces before it went.
    jobs.visit([known], tasks._purge_one)
    jobs.visit([known], tasks._wake_endpoints)
    assert receiver.calls == []
    assert purging.purge_tenant(tenant_id=tenant.id, now=utcnow() + AFTER_GRACE) and left_of(tenant) == 0

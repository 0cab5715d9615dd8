"""Where something is due the sweep finds it, and it looks nowhere else."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models.sql.constants import GET_ITERATOR_CHUNK_SIZE
from django.test.utils import CaptureQueriesContext

from apps.core.clock import utcnow
from apps.core.tenants import tenant_scope
from apps.tenancy import due_work, jobs
from apps.tenancy import services as tenancy
from apps.tenancy.models import DueWork
from apps.tenancy.selectors import TenantView
from apps.webhooks import owing, recording, sending, services, tasks
from apps.webhooks.catalogue import CATALOGUE
from apps.webhooks.models import Delivery
from tests.factories.invoices import make_client
from tests.factories.webhooks import Receiver, deliveries, make_due, make_endpoint, owe, tell, turn
from tests.fixtures.tenants import actor_of, in_tenant, remove
from tests.fixtures.threads import at_once
from tests.tenancy.test_life_jobs import OPERATOR

NewTenant = Callable[[str], TenantView]
LATER = timedelta(hours=1)


def survey(tenant: TenantView) -> list[UUID]:
    """What the sweep finds in one workspace."""
    with tenant_scope(tenant.scope):
        return owing.survey()


def is_visited(tenant: TenantView, *, after: timedelta = timedelta(0)) -> bool:
    """Whether the sweep would look into the workspace."""
    return tenant.id in {one.id for one in due_work.tenants_with(owing.WORK, now=utcnow() + after)}


def notes(tenant: TenantView) -> list[datetime]:
    """The moments that are noted of a workspace."""
    return list(DueWork.objects.filter(tenant_id=tenant.id).order_by("due_at").values_list("due_at", flat=True))


def test_the_sweep_visits_those_in_which_something_is_due(acme: TenantView, globex: TenantView) -> None:
    assert not is_visited(acme)
    first, second = owe(acme, "https://example.com/1"), owe(acme, "https://example.com/2", 3)
    assert is_visited(acme) and not is_visited(globex)
    assert survey(acme) == sorted([first, second])
    # Many notes became one, which stands as long as anything is due; who was woken just now is let be for a moment.
    assert len(notes(acme)) == 1 and not is_visited(acme) and is_visited(acme, after=owing.WOKEN)
    assert survey(acme) == sorted([first, second])
    with in_tenant(acme):
        Delivery.objects.filter(endpoint_id=first).update(next_attempt_at=utcnow() + LATER)
    assert survey(acme) == [second] and is_visited(acme, after=owing.WOKEN)
    with in_tenant(acme):
        Delivery.objects.filter(endpoint_id=second).delete()
    assert survey(acme) == [] and not is_visited(acme) and is_visited(acme, after=LATER)
    with in_tenant(acme):
        Delivery.objects.all().delete()
    assert survey(acme) == [] and notes(acme) == []


def test_many_notes_are_taken_by_one_statement(acme: TenantView) -> None:
    owe(acme, "https://example.com/")
    with in_tenant(acme), CaptureQueriesContext(connection) as asked:
        DueWork.objects.bulk_create(
            DueWork(tenant_id=acme.id, kind=owing.WORK, due_at=utcnow()) for _ in range(2 * GET_ITERATOR_CHUNK_SIZE)
        )
        before = len(asked)
        assert due_work.take(owing.WORK) == 1 + 2 * GET_ITERATOR_CHUNK_SIZE
        assert len(asked) == before + 1
    assert notes(acme) == []


def test_where_nobody_listens_nothing_is_noted(acme: TenantView) -> None:
    tell(acme)
    assert notes(acme) == []


def test_a_note_stands_wherever_something_waits(acme: TenantView, receiver: Receiver) -> None:
    """Whatever moves a delivery to an earlier moment notes that moment, also when the sweep has just been there."""
    receiver.answers = [500, 204]

    def is_noted() -> bool:
        (row,) = deliveries(acme)
        assert row.next_attempt_at is not None
        return notes(acme)[0] <= max(row.next_attempt_at, utcnow() + owing.WOKEN)

    endpoint_id = owe(acme, receiver.url)
    with tenant_scope(acme.scope):
        job = sending.claim(endpoint_id=endpoint_id)
        assert job is not None
        owing.survey()
        assert is_noted()  # the end of the lease
        sending.settle(job, sending._ask(job, sending.breaker_of(endpoint_id), 10))
    assert is_noted()  # the next step of the ladder, which comes before the end of the lease
    make_due(acme)
    with tenant_scope(acme.scope):
        job = sending.claim(endpoint_id=endpoint_id)
        assert job is not None
        owing.survey()
        sending._hand_back(job, timedelta(seconds=1))
    assert is_noted()
    make_due(acme)
    turn(acme, endpoint_id)
    assert survey(acme) == [] and notes(acme) == []
    with in_tenant(acme):
        services.replay(actor=actor_of(acme), delivery_id=deliveries(acme)[0].id)
    assert is_noted()


def test_notes_wait_for_a_suspended_workspace(acme: TenantView) -> None:
    owe(acme, "https://example.com/")
    tenancy.suspend_tenant(actor=OPERATOR, tenant_id=acme.id)
    assert not is_visited(acme) and len(notes(acme)) == 1
    tenancy.reactivate_tenant(actor=OPERATOR, tenant_id=acme.id)
    assert is_visited(acme)


def test_the_purge_notes_anew_what_lost_its_note(acme: TenantView) -> None:
    owe(acme, "https://example.com/")
    DueWork.objects.all().delete()
    tasks.purge.run()
    assert is_visited(acme, after=owing.WOKEN)


def test_a_note_belongs_to_the_transaction_of_the_work(committed: NewTenant) -> None:
    tenant = committed("Noted")
    with tenant_scope(tenant.scope), pytest.raises(RuntimeError):
        due_work.note(owing.WORK, due_at=utcnow())
    with pytest.raises(ZeroDivisionError), in_tenant(tenant):
        due_work.note(owing.WORK, due_at=utcnow())
        raise ZeroDivisionError
    assert notes(tenant) == []


def test_one_workspace_neither_sees_nor_takes_the_notes_of_another(acme: TenantView, globex: TenantView) -> None:
    owe(acme, "https://example.com/")
    with in_tenant(globex):
        assert DueWork.objects.count() == 0 and due_work.take(owing.WORK) == 0
        assert DueWork.objects.all().delete()[0] == 0
    assert is_visited(acme)


def test_a_workspace_that_is_purged_stops_no_sweep(committed: NewTenant) -> None:
    """The sweep lists workspaces first and visits them later."""
    gone, standing = committed("Purged meanwhile"), committed("Standing")
    endpoint_id = owe(standing, "https://example.com/")
    remove(gone)
    seen: list[UUID] = []
    jobs.visit([gone, standing], lambda _: seen.extend(owing.survey()))
    assert seen == [endpoint_id]


def test_a_broken_workspace_is_told_of_after_the_others_had_their_turn(acme: TenantView, globex: TenantView) -> None:
    endpoint_id = owe(globex, "https://example.com/")
    seen: list[UUID] = []

    def look(tenant: TenantView) -> None:
        if tenant.id == acme.id:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("select from a_table_that_its_migration_did_not_reach")
        seen.extend(owing.survey())

    with pytest.raises(ProgrammingError):
        jobs.visit([acme, globex], look)
    assert seen == [endpoint_id]


def test_what_is_told_beside_a_sweep_keeps_its_note(committed: NewTenant) -> None:
    tenant, taken, told = committed("Crossed"), threading.Event(), threading.Event()
    owe(tenant, "https://example.com/")

    def sweep() -> int:
        with in_tenant(tenant):
            found = due_work.take(owing.WORK)
            taken.set()
            assert told.wait(60)
            return found

    def tell_beside() -> None:
        assert taken.wait(60)
        tell(tenant)
        told.set()

    assert at_once([sweep, tell_beside]) == [1, None]
    assert len(notes(tenant)) == 1


def test_sweeps_and_facts_in_any_order_leave_a_note_of_what_is_due(committed: NewTenant) -> None:
    tenant = committed("Swept at once")
    make_endpoint(tenant, event_types=["client.created"])
    with in_tenant(tenant):
        client_id = make_client(actor_of(tenant)).id

    def facts() -> None:
        for _ in range(15):
            with in_tenant(tenant):
                recording.tell(event=CATALOGUE["client.created"], subject_id=client_id)

    def sweeps() -> None:
        for _ in range(15):
            survey(tenant)

    assert at_once([facts, sweeps, facts, sweeps]) == [None] * 4
    first = min(row.next_attempt_at for row in deliveries(tenant) if row.next_attempt_at)
    assert len(deliveries(tenant)) == 31 and notes(tenant)[0] <= max(first, utcnow() + owing.WOKEN)

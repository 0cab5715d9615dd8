"""Telling people: once, in order, in their language; and what a reader does with his own."""

from collections.abc import Callable
from functools import partial

import pytest
from django.utils.translation import get_language

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind
from apps.core.errors import IllegalState, NotFound, PermissionRefused
from apps.core.rest.paging import PageRequest
from apps.notifications import selectors, services
from apps.notifications.models import DeliveryState, EmailDelivery, Notification, NotificationCursor, NotificationKind
from apps.notifications.services import Recipient, Text
from apps.tenancy.selectors import TenantView
from tests.factories.notifications import letter, owe, tell, user_of
from tests.fixtures.tenants import actor_of, in_tenant
from tests.fixtures.threads import at_once

NewTenant = Callable[[str], TenantView]
OPERATOR = Actor(ActorKind.OPERATOR, name="op")


def test_a_readers_cursor_counts_up_from_one_without_gaps(acme: TenantView) -> None:
    start = selectors.cursor(actor=actor_of(acme))
    for number in range(3):
        tell(acme, f"No. {number}", roles=("OWNER", "VIEWER"))
    told = selectors.notifications_after(actor=actor_of(acme), after=start, limit=10)
    assert [(view.cursor, view.title) for view in told] == [(start + n + 1, f"No. {n}") for n in range(3)]
    assert selectors.cursor(actor=actor_of(acme)) == start + 3


def test_one_fact_is_told_once_and_leaves_no_gap(acme: TenantView) -> None:
    start = selectors.cursor(actor=actor_of(acme))
    assert tell(acme, dedupe_key="fact", roles=("OWNER",)) == [user_of(acme)]
    assert tell(acme, dedupe_key="fact", roles=("OWNER", "ADMIN")) == [user_of(acme, "ADMIN")]
    assert tell(acme, dedupe_key="fact", roles=("OWNER", "ADMIN")) == []
    tell(acme)
    assert selectors.cursor(actor=actor_of(acme)) == start + 2


def test_each_hears_in_his_own_language(acme: TenantView) -> None:
    services.notify(
        tenant_id=acme.id,
        recipients=[Recipient(user_of(acme, "OWNER"), "de"), Recipient(user_of(acme, "ADMIN"), "ar")],
        kind=NotificationKind.WELCOME,
        dedupe_key="languages",
        text=lambda: Text(get_language() or ""),
    )
    said = {row.user_id: row.title for row in Notification.objects.filter(dedupe_key="languages")}
    assert said == {user_of(acme, "OWNER"): "de", user_of(acme, "ADMIN"): "ar"}


def test_works_within_the_tenants_own_transaction(acme: TenantView) -> None:
    with in_tenant(acme):
        tell(acme, "Inside")
        assert selectors.bell(actor=actor_of(acme))[0].title == "Inside"
    assert Notification.objects.filter(title="Inside", tenant_id=acme.id).count() == 1


def test_long_words_are_cut_to_fit(acme: TenantView) -> None:
    tell(acme, "x" * 1_000)
    assert len(selectors.bell(actor=actor_of(acme))[0].title) == 200


def test_writers_at_once_leave_neither_gap_nor_double(committed: NewTenant) -> None:
    tenant = committed("Crowded")
    start = selectors.cursor(actor=actor_of(tenant))
    # Overlapping readers in different order would lock each other out if writers did not take turns.
    roles = [("OWNER", "ADMIN"), ("ADMIN", "OWNER"), ("OWNER",), ("ADMIN", "VIEWER", "OWNER")]
    results = at_once([partial(tell, tenant, f"No. {n}", roles=roles[n % 4]) for n in range(12)])
    assert not [result for result in results if isinstance(result, Exception)]
    told = selectors.notifications_after(actor=actor_of(tenant), after=start, limit=50)
    assert [view.cursor for view in told] == list(range(start + 1, start + 13))


def test_writers_of_the_same_fact_at_once_tell_it_once(committed: NewTenant) -> None:
    tenant = committed("Echo")
    results = at_once([partial(tell, tenant, dedupe_key="same") for _ in range(6)])
    assert sorted(len(result) for result in results if isinstance(result, list)) == [0, 0, 0, 0, 0, 1]


def test_nobody_reads_what_is_not_his(acme: TenantView, globex: TenantView) -> None:
    tell(acme, "For Acme's owner")
    for stranger in (actor_of(acme, "ADMIN"), actor_of(globex)):
        titles = [view.title for view in selectors.bell(actor=stranger)]
        assert "For Acme's owner" not in titles


def test_an_operator_has_no_notifications(acme: TenantView) -> None:
    tell(acme)
    assert (selectors.unread_count(actor=OPERATOR), selectors.cursor(actor=OPERATOR)) == (0, 0)
    assert selectors.list_notifications(actor=OPERATOR, page=PageRequest()).rows == []


def test_read_and_unread(acme: TenantView) -> None:
    owner = actor_of(acme)
    services.mark_all_read(actor=owner)
    tell(acme, url="/invoices/")
    (row,) = Notification.objects.filter(user_id=owner.user_id, read_at=None)
    assert services.mark_read(actor=owner, notification_id=row.id, is_read=True) == "/invoices/"
    first = Notification.objects.get(pk=row.id).read_at
    services.mark_read(actor=owner, notification_id=row.id, is_read=True)
    assert Notification.objects.get(pk=row.id).read_at == first
    assert selectors.unread_count(actor=owner) == 0
    services.mark_read(actor=owner, notification_id=row.id, is_read=False)
    assert selectors.unread_count(actor=owner) == 1
    assert services.mark_all_read(actor=owner) == 1


def test_others_rows_cannot_be_touched(acme: TenantView, globex: TenantView) -> None:
    tell(acme)
    row = Notification.objects.get(pk=selectors.bell(actor=actor_of(acme))[0].id)
    for stranger in (actor_of(acme, "ADMIN"), actor_of(globex), OPERATOR):
        with pytest.raises(NotFound):
            services.mark_read(actor=stranger, notification_id=row.id, is_read=True)
        with pytest.raises(NotFound):
            services.delete_notification(actor=stranger, notification_id=row.id)
        services.delete_all(actor=stranger)
    assert Notification.objects.filter(pk=row.id, read_at=None).exists()


def test_a_deleted_notification_does_not_give_its_place_to_another(acme: TenantView) -> None:
    owner = actor_of(acme)
    tell(acme)
    last = selectors.cursor(actor=owner)
    services.delete_all(actor=owner)
    tell(acme)
    assert [view.cursor for view in selectors.bell(actor=owner)] == [last + 1]
    assert NotificationCursor.objects.get(tenant_id=acme.id, user_id=owner.user_id).last_seq == last + 1


def test_an_email_is_owed_once_per_fact(acme: TenantView) -> None:
    first = services.queue_email(letter=letter(), tenant_id=acme.id, dedupe_key="once")
    assert first
    assert services.queue_email(letter=letter(to="other@readers.test"), tenant_id=acme.id, dedupe_key="once") is None
    assert EmailDelivery.objects.get(dedupe_key="once").to == "mira@readers.test"


def test_line_breaks_never_reach_a_header(acme: TenantView) -> None:
    row = owe(acme.id, subject="Invoice\r\nBcc: all@world.test", from_name="Sails\nand Ropes")
    assert (row.subject, row.from_name) == ("Invoice Bcc: all@world.test", "Sails and Ropes")


def test_an_operator_gives_a_failed_email_another_try(acme: TenantView) -> None:
    row = owe(acme.id)
    EmailDelivery.objects.filter(pk=row.pk).update(
        state=DeliveryState.FAILED, attempts=8, next_attempt_at=None, last_error="refused"
    )
    with pytest.raises(PermissionRefused):
        services.retry_email(actor=actor_of(acme), delivery_id=row.id)
    services.retry_email(actor=OPERATOR, delivery_id=row.id)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (DeliveryState.QUEUED, 0)
    entry = AuditEntry.objects.filter(action="notifications.email.retry").latest("id")
    assert (entry.tenant_id, entry.before["last_error"]) == (acme.id, "refused")
    with pytest.raises(IllegalState):
        services.retry_email(actor=OPERATOR, delivery_id=row.id)
    with pytest.raises(NotFound):
        services.retry_email(actor=OPERATOR, delivery_id=acme.id)


def test_a_change_names_itself_only_inside_a_transaction(committed: NewTenant) -> None:
    with pytest.raises(RuntimeError):
        services.change_key()

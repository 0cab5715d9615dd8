"""Operators look at e-mails and send failed ones again."""

import pytest
from django.conf import settings
from django.test import Client

from apps.audit.models import AuditEntry
from apps.notifications.models import DeliveryState, EmailDelivery
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator
from tests.factories.notifications import owe, tell

LIST = "/admin/notifications/emaildelivery/"


@pytest.fixture
def failed(acme: TenantView) -> EmailDelivery:
    row = owe(acme.id, context={"name": "Mira", "tenant_name": "Acme", "link": "https://acme.test/i/private-token/"})
    EmailDelivery.objects.filter(pk=row.pk).update(
        state=DeliveryState.FAILED, attempts=8, next_attempt_at=None, last_error="550 no such user"
    )
    row.refresh_from_db()
    return row


def signed_in(platform_role: str = "PLATFORM_ADMIN") -> Client:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    answer = client.post("/admin/login/", {"username": operator(platform_role), "password": PASSWORD, "next": LIST})
    assert answer.status_code == 302, answer.content
    return client


@pytest.mark.parametrize("role", ["PLATFORM_ADMIN", "PLATFORM_SUPPORT"])
def test_operators_see_deliveries_but_no_private_links(failed: EmailDelivery, role: str) -> None:
    client = signed_in(role)
    assert failed.to in client.get(LIST).content.decode()
    detail = client.get(f"{LIST}{failed.id}/change/").content.decode()
    assert "550 no such user" in detail
    assert "private-token" not in detail


def test_sending_again_asks_first_and_is_audited(failed: EmailDelivery) -> None:
    client = signed_in()
    question = client.get(f"{LIST}{failed.id}/retry/")
    assert (question.status_code, "550 no such user" in question.content.decode()) == (200, True)
    failed.refresh_from_db()
    assert failed.state == DeliveryState.FAILED, "a GET changes nothing"
    client.post(f"{LIST}{failed.id}/retry/")
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (DeliveryState.QUEUED, 0)
    assert AuditEntry.objects.filter(action="notifications.email.retry", entity_id=str(failed.id)).count() == 1


def test_support_may_only_look(failed: EmailDelivery) -> None:
    signed_in("PLATFORM_SUPPORT").post(f"{LIST}{failed.id}/retry/")
    failed.refresh_from_db()
    assert failed.state == DeliveryState.FAILED


def test_only_failed_ones_can_be_sent_again(acme: TenantView) -> None:
    row = owe(acme.id)
    answer = signed_in().post(f"{LIST}{row.id}/retry/", follow=True)
    assert "Only a failed e-mail can be sent again." in answer.content.decode()


def test_nothing_can_be_edited_by_hand(failed: EmailDelivery) -> None:
    client = signed_in()
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{failed.id}/delete/", {"post": "yes"}).status_code == 403
    client.post(f"{LIST}{failed.id}/change/", {"state": "SENT"})
    failed.refresh_from_db()
    assert failed.state == DeliveryState.FAILED


def test_operators_see_what_people_were_told(acme: TenantView) -> None:
    tell(acme, "Shown to operators")
    assert "Shown to operators" in signed_in().get("/admin/notifications/notification/").content.decode()

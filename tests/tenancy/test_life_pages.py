"""The owner's pages that close a workspace, and the link that brings it back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind
from apps.core.clock import utcnow
from apps.iam import restoring
from apps.iam.models import Membership, User
from apps.notifications import deliveries
from apps.notifications.models import DeliveryState, EmailDelivery
from apps.tenancy import deleting, selectors, services
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.notifications import owe, user_of
from tests.fixtures.clients import BrowserFor
from tests.fixtures.tenants import PASSWORD, actor_of

ZONE = "/settings/danger/"
OPERATOR = Actor(ActorKind.OPERATOR, name="Op", permissions=frozenset({"platform:read", "platform:write"}))


@pytest.fixture(autouse=True)
def hosts_forgotten(acme: TenantView) -> Iterator[None]:
    """What a test's rolled back transaction put into the cache reaches no other test."""
    yield
    selectors.forget_host(acme.host)


def status_of(tenant: TenantView) -> str:
    return str(Tenant.objects.get(pk=tenant.id).status)


def letters(tenant: TenantView, template: str) -> list[EmailDelivery]:
    return list(EmailDelivery.objects.filter(tenant_id=tenant.id, template=template))


def test_suspending_and_reactivating(acme: TenantView, globex: TenantView, browser_client: BrowserFor) -> None:
    owner = browser_client(acme)
    assert "Suspend the workspace" in owner.get(ZONE).content.decode()
    assert owner.post(f"{ZONE}suspend/")["Location"] == ZONE
    assert (status_of(acme), status_of(globex)) == ("SUSPENDED", "ACTIVE")
    page = owner.get(ZONE).content.decode()
    assert "Reactivate the workspace" in page
    assert "Suspend the workspace" not in page
    assert owner.post(f"{ZONE}reactivate/")["Location"] == ZONE
    assert status_of(acme) == "ACTIVE"
    assert [letter.to for letter in letters(acme, "workspace_suspended")] == [f"owner@{acme.slug}.test"]
    assert [letter.to for letter in letters(acme, "workspace_reactivated")] == [f"owner@{acme.slug}.test"]


def test_what_the_platform_suspended_the_owner_cannot_lift(acme: TenantView, browser_client: BrowserFor) -> None:
    owner = browser_client(acme)
    services.suspend_tenant(actor=OPERATOR, tenant_id=acme.id, reason="Unpaid since May")
    page = owner.get(ZONE).content.decode()
    assert "only the platform can reactivate it" in page
    assert "Unpaid since May" in page
    assert f'action="{ZONE}reactivate/"' not in page
    owner.post(f"{ZONE}reactivate/")
    assert status_of(acme) == "SUSPENDED"
    assert "Only whoever suspended this workspace can reactivate it." in owner.get(ZONE).content.decode()


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"name": "acme", "password": PASSWORD}, "This is not the name of the workspace."),
        ({"name": "Acme\x00", "password": PASSWORD}, "Null characters are not allowed."),
        ({"name": "", "password": PASSWORD}, "This field is required."),
        ({"name": "Acme", "password": "Wrong-password-1"}, "This is not your password."),
        ({"name": "Acme", "password": ""}, "This field is required."),
    ],
)
def test_deleting_asks_for_name_and_password(
    acme: TenantView, browser_client: BrowserFor, typed: dict[str, str], error: str
) -> None:
    answer = browser_client(acme).post(f"{ZONE}delete/", typed)
    assert (answer.status_code, error in answer.content.decode()) == (400, True)
    assert status_of(acme) == "ACTIVE"


@pytest.mark.parametrize("role", ["ADMIN", "ACCOUNTANT", "MEMBER", "VIEWER"])
def test_nobody_but_the_owner(acme: TenantView, browser_client: BrowserFor, role: str) -> None:
    client = browser_client(acme, role)
    assert client.get(ZONE).status_code == 403
    for path in ("suspend/", "reactivate/", "delete/"):
        answer = client.post(f"{ZONE}{path}", {"name": acme.name, "password": PASSWORD})
        assert answer.status_code == 403, path
    assert status_of(acme) == "ACTIVE"


def test_an_unverified_owner_is_told_why(acme: TenantView, browser_client: BrowserFor) -> None:
    User.objects.filter(email=f"owner@{acme.slug}.test").update(email_verified_at=None)
    answer = browser_client(acme).post(f"{ZONE}delete/", {"name": acme.name, "password": PASSWORD})
    assert (answer.status_code, "Verify your e-mail address first" in answer.content.decode()) == (403, True)


def test_from_deletion_to_the_link_that_undoes_it(
    acme: TenantView, globex: TenantView, browser_client: BrowserFor
) -> None:
    owner = browser_client(acme)
    answer = owner.post(f"{ZONE}delete/", {"name": f" {acme.name} ", "password": PASSWORD})
    assert (answer.status_code, "Acme is deleted" in answer.content.decode()) == (200, True)
    assert (status_of(acme), status_of(globex)) == ("DELETED", "ACTIVE")
    (letter,) = letters(acme, "workspace_deleted")
    link = letter.context["link"]
    assert link.startswith(f"{django_settings.PLATFORM_URL}/restore/")

    path, anybody = link.removeprefix(django_settings.PLATFORM_URL), Client(SERVER_NAME=django_settings.PLATFORM_HOST)
    assert "Restore Acme" in anybody.get(path).content.decode()
    assert status_of(acme) == "DELETED", "a look, or a mail scanner's, changes nothing"
    assert anybody.post(path)["Location"] == f"{acme.home_url}/sign-in/"
    assert status_of(acme) == "ACTIVE"
    assert anybody.get(path).status_code == 404, "it is good for one deletion"
    restored = AuditEntry.objects.get(tenant_id=acme.id, action="tenancy.tenant.restore")
    assert restored.actor_id == user_of(acme)


def test_links_that_restore_nothing(acme: TenantView) -> None:
    client = Client(SERVER_NAME=django_settings.PLATFORM_HOST, raise_request_exception=False)
    owner = user_of(acme)
    deleting.delete_tenant(actor=actor_of(acme), tenant_id=acme.id, now=utcnow() - timedelta(days=1))
    first = restoring.restore_link(tenant_id=acme.id, user_id=owner).removeprefix(django_settings.PLATFORM_URL)
    deleting.restore_tenant(actor=OPERATOR, tenant_id=acme.id)
    deleting.delete_tenant(actor=actor_of(acme), tenant_id=acme.id)
    assert client.post(first).status_code == 404, "of an earlier deletion"
    for forged in ("/restore/x/", f"{first[:-3]}aa/", "/restore/%00/"):
        assert client.post(forged).status_code == 404, forged

    second = restoring.restore_link(tenant_id=acme.id, user_id=owner).removeprefix(django_settings.PLATFORM_URL)
    Membership.objects.filter(tenant_id=acme.id, user_id=owner).update(role="MEMBER")
    assert client.post(second).status_code == 404, "he is not the owner any more"
    Membership.objects.filter(tenant_id=acme.id, user_id=owner).update(role="OWNER")
    Tenant.objects.filter(pk=acme.id).update(purge_after=utcnow())
    assert "is over" in client.get(second).content.decode()
    assert client.post(second).status_code == 409
    assert status_of(acme) == "DELETED"


def test_letters_of_a_suspended_workspaces_business_wait(acme: TenantView, mailoutbox: list[Any]) -> None:
    def due(**values: Any) -> EmailDelivery:
        return owe(acme.id, related_id=acme.id, **values)

    business = due(related_type="invoice")
    about_the_workspace = due(related_type="tenant")
    services.suspend_tenant(actor=OPERATOR, tenant_id=acme.id)
    now = utcnow()
    assert not deliveries.deliver_email(delivery_id=business.id, now=now)
    assert deliveries.deliver_email(delivery_id=about_the_workspace.id, now=now)
    business.refresh_from_db()
    assert (business.state, business.attempts) == (DeliveryState.QUEUED, 0)

    services.reactivate_tenant(actor=OPERATOR, tenant_id=acme.id)
    assert deliveries.deliver_email(delivery_id=business.id, now=utcnow() + deliveries.SUSPENDED_DELAY)
    assert len(mailoutbox) == 2


@pytest.mark.parametrize("locale", ["en", "de", "ar"])
def test_the_letters_say_what_to_do(acme: TenantView, mailoutbox: list[Any], locale: str) -> None:
    User.objects.filter(pk=user_of(acme)).update(locale=locale)
    services.suspend_tenant(actor=OPERATOR, tenant_id=acme.id, reason="A <b>reason</b>")
    services.reactivate_tenant(actor=OPERATOR, tenant_id=acme.id)
    deleting.delete_tenant(actor=OPERATOR, tenant_id=acme.id)
    for delivery in EmailDelivery.objects.filter(tenant_id=acme.id, template__startswith="workspace_"):
        assert deliveries.deliver_email(delivery_id=delivery.id)
    assert len(mailoutbox) == 3
    html = "".join(message.alternatives[0][0] for message in mailoutbox)
    assert "A &lt;b&gt;reason&lt;/b&gt;" in html
    assert "<b>reason</b>" not in html
    assert sum("/restore/" in message.body for message in mailoutbox) == 1

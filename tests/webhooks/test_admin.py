"""Operators look into an organisation's webhooks, stop an endpoint and send again what did not arrive."""

import pytest
from django.conf import settings
from django.test import Client

from apps.audit.models import AuditEntry
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator
from tests.factories.invoices import make_client
from tests.factories.webhooks import Receiver, deliveries, make_endpoint, stored, turn
from tests.fixtures.tenants import actor_of, in_tenant

ENDPOINTS, DELIVERIES = "/admin/webhooks/endpoint/", "/admin/webhooks/delivery/"


def inside(tenant: TenantView, role: str) -> Client:
    """An operator who looks into `tenant`."""
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    client.post("/admin/login/", {"username": operator(role), "password": PASSWORD})
    assert client.post(f"/admin/tenancy/tenant/{tenant.id}/confirm/enter/", {"reason": "a question"}).status_code == 302
    return client


@pytest.mark.parametrize("role", ["PLATFORM_ADMIN", "PLATFORM_SUPPORT"])
def test_operators_look_and_only_some_act(acme: TenantView, globex: TenantView, receiver: Receiver, role: str) -> None:
    made = make_endpoint(acme, f"{receiver.url}/acme", event_types=["client.*"])
    make_endpoint(globex, f"{receiver.url}/globex")
    with in_tenant(acme):
        make_client(actor_of(acme), name="Nordlys")
    turn(acme, made.endpoint.id)
    (owed,) = deliveries(acme, endpoint_id=made.endpoint.id)
    client = inside(acme, role)
    listed = client.get(ENDPOINTS, {"q": "acme"}).content.decode()
    assert "/acme" in listed and "/globex" not in listed
    one = client.get(f"{ENDPOINTS}{made.endpoint.id}/change/").content.decode()
    assert made.endpoint.url in one and made.secret not in one
    assert "client.created" in client.get(DELIVERIES, {"q": "client.created"}).content.decode()
    assert "Nordlys" in client.get(f"{DELIVERIES}{owed.id}/change/").content.decode()

    acts = (f"{DELIVERIES}{owed.id}/replay/", f"{ENDPOINTS}{made.endpoint.id}/disable/")
    for path in acts:
        assert b"<form" in client.get(path).content
        assert client.post(path).status_code == 302, path
    may_act = role == "PLATFORM_ADMIN"
    assert stored(acme, made.endpoint.id).is_enabled is not may_act
    trail = AuditEntry.objects.filter(tenant_id=acme.id, actor_kind="OPERATOR", action__startswith="webhooks.")
    expected = {"webhooks.delivery.replay", "webhooks.endpoint.disable"} if may_act else set()
    assert set(trail.values_list("action", flat=True)) == expected


def test_nobody_looks_from_outside(acme: TenantView) -> None:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    client.post("/admin/login/", {"username": operator("PLATFORM_ADMIN"), "password": PASSWORD})
    endpoint = make_endpoint(acme).endpoint
    for path in (ENDPOINTS, DELIVERIES, f"{ENDPOINTS}{endpoint.id}/disable/"):
        assert client.get(path).status_code == 403, path
    assert client.post(f"{ENDPOINTS}{endpoint.id}/disable/").status_code == 403
    assert stored(acme, endpoint.id).is_enabled

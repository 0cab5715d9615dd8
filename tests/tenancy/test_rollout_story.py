"""The main job in both modes of the installation: sign up, sign in, invoice, hosted page, payment."""

import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from rest_framework.test import APIClient

from apps.iam.models import Membership, User
from apps.payments.gateways.stripe import BREAKER
from apps.payments.models import Payment
from apps.tenancy import selectors, services
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories import invoices as invoice_factory
from tests.factories import payments as payment_factory
from tests.factories.iam import PASSWORD
from tests.fixtures.processes import Sandbox
from tests.fixtures.tenants import in_tenant
from tests.iam.handover import land

PLATFORM = django_settings.PLATFORM_HOST


@pytest.fixture(params=["MULTI_TENANT", "SINGLE_TENANT"])
def mode(request: pytest.FixtureRequest, settings: Any) -> str:
    """The installation's mode; nothing of an earlier test's workspace is remembered."""
    settings.ROLLOUT_MODE = request.param
    settings.STRIPE_WEBHOOK_SECRET = "whsec_" + "t" * 32
    selectors.forget_host(PLATFORM)
    BREAKER.reset()
    return str(request.param)


def test_from_sign_up_to_payment(acme: TenantView, mode: str, stripe_sandbox: Sandbox) -> None:
    tenant, browser = _sign_up(mode)
    is_single = mode == "SINGLE_TENANT"
    assert Membership.objects.get(tenant_id=tenant.id).role == ("MEMBER" if is_single else "OWNER")
    assert Tenant.objects.get(pk=tenant.id).is_default is is_single
    assert browser.get("/").status_code == 200

    api = _program(tenant)
    client = api.post("/api/v1/clients", {"name": "Ionian Yachts", "email": "ap@ionian.test"}).json()
    draft = api.post("/api/v1/invoices", invoice_factory.body(client["id"])).json()
    invoice = api.post(f"/api/v1/invoices/{draft['id']}/finalize").json()
    assert invoice["status"] == "open"

    host, path = re.fullmatch(r"https?://([^/:]+)(?::\d+)?(/i/.+)", invoice["hosted_url"]).groups()  # type: ignore[union-attr]
    assert host == (PLATFORM if is_single else tenant.host)
    customer = Client(SERVER_NAME=host)
    assert invoice["number"] in customer.get(path).content.decode()
    checkout = customer.post(f"{path}pay/")["Location"]
    assert checkout.startswith(stripe_sandbox.url)
    payment_factory.pay_at(stripe_sandbox, checkout)
    with in_tenant(tenant):
        payment_id = Payment.objects.get().id
    payment_factory.check(tenant, payment_id)
    assert api.get(f"/api/v1/invoices/{draft['id']}").json()["status"] == "paid"
    assert "Acme" not in browser.get("/clients/").content.decode()


def _sign_up(mode: str) -> tuple[TenantView, Client]:
    page = Client(SERVER_NAME=PLATFORM)
    fields = {"first_name": "Mira", "last_name": "Okafor", "email": "mira@story.test", "password": PASSWORD}
    if mode == "MULTI_TENANT":
        fields["tenant_name"] = "Story Studio"
    progress = page.post("/sign-up/", fields)["Location"]
    key = progress.strip("/").rpartition("/")[2]
    services.provision_tenant(tenant_id=selectors.tenant_by_key_or_slug(key).id)
    tenant = selectors.tenant_by_key_or_slug(key)
    entrance = page.get(progress)["Location"]
    assert entrance.startswith(f"{tenant.home_url}/sign-in/handoff/")
    browser = page if mode == "SINGLE_TENANT" else Client(SERVER_NAME=tenant.host)
    assert land(entrance, page, browser)["Location"] == "/"
    assert User.objects.filter(email="mira@story.test").count() == 1
    return tenant, browser


def _program(tenant: TenantView) -> APIClient:
    body = {"email": "mira@story.test", "password": PASSWORD}
    answer = APIClient(SERVER_NAME=PLATFORM).post("/api/v1/auth/signin", body).json()
    assert answer["tenant"]["key"] == tenant.key
    client = APIClient(SERVER_NAME=PLATFORM)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer['access']}")
    return client

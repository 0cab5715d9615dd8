"""Operators act on one organisation while they look into another."""

from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.tenancy.models import Tenant, TenantStatus
from apps.tenancy.operator_admin import TenantModelAdmin
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator

TENANT_MODELS = [model for model, view in admin.site._registry.items() if isinstance(view, TenantModelAdmin)]


def _signed_in(role: str) -> Client:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST, raise_request_exception=False)
    client.post("/admin/login/", {"username": operator(role), "password": PASSWORD, "next": "/admin/"})
    return client


def _inside(tenant: TenantView, role: str = "PLATFORM_ADMIN") -> Client:
    client = _signed_in(role)
    assert _confirm(client, tenant, "enter") == 302
    return client


def _confirm(client: Client, tenant: TenantView, verb: str) -> int:
    url = reverse("admin:tenancy_tenant_confirm", args=[tenant.id, verb])
    return client.post(url, {"reason": "A report of abuse"}).status_code


def _status(tenant: TenantView) -> str:
    return str(Tenant.objects.get(pk=tenant.id).status)


@pytest.mark.parametrize("role", ["PLATFORM_ADMIN", "PLATFORM_SUPPORT"])
def test_every_page_of_a_tenants_tables_is_403_outside(acme: TenantView, role: str) -> None:
    client = _signed_in(role)
    assert TENANT_MODELS
    for model in TENANT_MODELS:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for page in ("change", "delete", "history"):
            answer = client.get(reverse(f"{name}_{page}", args=[uuid4()]))
            assert answer.status_code == 403, f"{name} {page}"
        for page in ("changelist", "add"):
            assert client.get(reverse(f"{name}_{page}")).status_code == 403, f"{name} {page}"
        assert client.post(reverse(f"{name}_changelist"), {"action": "delete_selected"}).status_code == 403
    assert client.get("/admin/search/", {"s": "acme"}).status_code == 200


@pytest.mark.parametrize("same", [True, False])
def test_suspending_and_reactivating_while_inside(acme: TenantView, globex: TenantView, same: bool) -> None:
    client, tenant = _inside(acme), acme if same else globex
    assert _confirm(client, tenant, "suspend") == 302
    assert _status(tenant) == TenantStatus.SUSPENDED
    assert _confirm(client, tenant, "reactivate") == 302
    assert _status(tenant) == TenantStatus.ACTIVE
    entries = AuditEntry.objects.filter(
        action="tenancy.tenant.change_status", entity_id=tenant.id, actor_kind="OPERATOR"
    )
    assert set(entries.values_list("tenant_id", flat=True)) == {tenant.id}


def test_going_from_one_organisation_straight_into_another(acme: TenantView, globex: TenantView) -> None:
    client = _inside(acme)
    assert _confirm(client, globex, "enter") == 302
    assert globex.name in client.get("/admin/").content.decode()


@pytest.mark.parametrize("verb", ["suspend", "reactivate", "retry"])
def test_support_acts_neither_outside_nor_inside(acme: TenantView, globex: TenantView, verb: str) -> None:
    client = _inside(acme, "PLATFORM_SUPPORT")
    for tenant in (acme, globex):
        _confirm(client, tenant, verb)
        assert _status(tenant) == TenantStatus.ACTIVE

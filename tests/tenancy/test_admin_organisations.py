"""The operators' list of organisations, one of them in tabs, and what may be done with each."""

from itertools import product

import pytest
from django.conf import settings
from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.test import Client
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.core.clock import utcnow
from apps.tenancy.models import Tenant, TenantStatus
from apps.tenancy.selectors import TenantView
from apps.tenancy.sizes import sizes_of
from tests.factories.iam import PASSWORD, operator

LIST = "/admin/tenancy/tenant/"
VERBS = ("suspend", "reactivate", "retry", "delete", "restore")
LEGAL = {
    ("ACTIVE", "suspend"): "SUSPENDED",
    ("SUSPENDED", "reactivate"): "ACTIVE",
    ("PROVISIONING_FAILED", "retry"): "PROVISIONING",
    ("ACTIVE", "delete"): "DELETED",
    ("SUSPENDED", "delete"): "DELETED",
    ("PROVISIONING_FAILED", "delete"): "DELETED",
    ("DELETED", "restore"): "SUSPENDED",
}


def _signed_in(role: str = "PLATFORM_ADMIN") -> Client:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST, raise_request_exception=False)
    client.post("/admin/login/", {"username": operator(role), "password": PASSWORD, "next": "/admin/"})
    return client


def _put(tenant: TenantView, status: str) -> None:
    deleted = {"deleted_at": utcnow(), "purge_after": utcnow(), "status_before_deletion": "SUSPENDED"}
    Tenant.objects.filter(pk=tenant.id).update(status=status, **(deleted if status == "DELETED" else {}))


def _confirm(client: Client, tenant: TenantView, verb: str, reason: str = "A report of abuse") -> int:
    url = reverse("admin:tenancy_tenant_confirm", args=[tenant.id, verb])
    return client.post(url, {"reason": reason}).status_code


@pytest.mark.parametrize(("before", "verb"), list(product(TenantStatus.values, VERBS)))
def test_every_action_in_every_state(acme: TenantView, globex: TenantView, before: str, verb: str) -> None:
    _put(acme, before)
    client = _signed_in()
    assert client.get(reverse("admin:tenancy_tenant_confirm", args=[acme.id, verb])).status_code == 200
    assert Tenant.objects.get(pk=acme.id).status == before, "a look changes nothing"
    assert _confirm(client, acme, verb) == 302
    assert Tenant.objects.get(pk=acme.id).status == LEGAL.get((before, verb), before)
    assert Tenant.objects.get(pk=globex.id).status == TenantStatus.ACTIVE
    written = AuditEntry.objects.filter(tenant_id=acme.id, actor_kind="OPERATOR", entity_type="tenant")
    if (before, verb) in LEGAL:
        entry = written.latest("id")
        assert (entry.before["status"], entry.after["reason"]) == (before, "A report of abuse")
    else:
        assert not written.exists()


@pytest.mark.parametrize("verb", VERBS)
def test_an_action_needs_a_reason_and_more_than_support(acme: TenantView, verb: str) -> None:
    _put(acme, "DELETED" if verb == "restore" else "SUSPENDED" if verb == "reactivate" else "ACTIVE")
    before = Tenant.objects.get(pk=acme.id).status
    assert _confirm(_signed_in(), acme, verb, reason=" ") == 200
    _confirm(_signed_in("PLATFORM_SUPPORT"), acme, verb)
    assert Tenant.objects.get(pk=acme.id).status == before


def test_the_list_shows_what_matters(acme: TenantView, globex: TenantView) -> None:
    page = _signed_in().get(LIST).content.decode()
    schemas = [tenant.scope.schema_name for tenant in (acme, globex)]
    room = [filesizeformat(size) for size in sizes_of(schemas).values()]
    assert len(room) == len(schemas)
    for word in (acme.name, globex.name, f"owner@{acme.slug}.test", "up to date", *room):
        assert word in page, word


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=owner%40globex.test", {"Globex"}),
        ("q=acme.localhost", {"Acme"}),
        ("status__exact=SUSPENDED", {"Acme"}),
        ("schema=current", {"Acme", "Globex"}),
        ("schema=behind", set()),
        ("schema=none", set()),
    ],
)
def test_search_and_filters(acme: TenantView, globex: TenantView, query: str, found: set[str]) -> None:
    _put(acme, "SUSPENDED")
    answer = _signed_in().get(f"{LIST}?{query}")
    assert answer.status_code == 200
    assert {tenant.name for tenant in answer.context["cl"].result_list} == found


@pytest.mark.parametrize(
    "query", ["q=%00", "status__exact=%00", "schema=a%00", "created_at__gte=%00", "o=%00", "p=%00"]
)
def test_a_nul_in_search_or_filters_is_a_bad_request(acme: TenantView, query: str) -> None:
    assert _signed_in().get(f"{LIST}?{query}=a%00").status_code == 400


def test_a_nul_is_a_bad_request_on_every_list(acme: TenantView) -> None:
    client = _signed_in()
    _confirm(client, acme, "enter")
    for model in admin.site._registry:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert client.get(f"{url}?q=%00").status_code == 400, url


def test_one_organisation_in_tabs(acme: TenantView) -> None:
    client = _signed_in()
    _confirm(client, acme, "suspend")
    page = client.get(reverse("admin:tenancy_tenant_change", args=[acme.id])).content.decode()
    for word in ("Overview", "Members", "Domains", "Audit", "Jobs", f"viewer@{acme.slug}.test", acme.host):
        assert word in page, word
    assert "tenancy.tenant.change_status" in page
    links = {verb for verb in VERBS if f"/{verb}-link" in page or f"{verb}_link" in page}
    assert links == {"reactivate", "delete"}


def test_the_list_is_whole_while_the_operator_is_inside_one(acme: TenantView, globex: TenantView) -> None:
    client = _signed_in()
    assert _confirm(client, acme, "enter") == 302
    page = client.get(LIST).content.decode()
    assert f"owner@{globex.slug}.test" in page
    assert f"owner@{acme.slug}.test" in page


def test_the_list_asks_the_database_as_often_for_many_as_for_one(
    acme: TenantView, globex: TenantView, django_assert_max_num_queries: object
) -> None:
    client = _signed_in()
    client.get(LIST)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        assert client.get(LIST).status_code == 200

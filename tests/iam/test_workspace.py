"""Host, token and header name the workspace; whoever contradicts himself stays outside."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from apps.core.tenants import PUBLIC, current_scope
from apps.tenancy.models import Domain, Tenant, TenantStatus
from apps.tenancy.selectors import TenantView, forget_host
from tests.factories.iam import PASSWORD, operator
from tests.fixtures.clients import ApiFor, BrowserFor


def _set_status(tenant: TenantView, status: TenantStatus) -> None:
    Tenant.objects.filter(pk=tenant.id).update(status=status)
    forget_host(tenant.host)


@pytest.fixture(autouse=True)
def _fresh_hosts(acme: TenantView) -> Any:
    """What these tests change of Acme is rolled back, but not what the cache holds of it."""
    forget_host(acme.host)
    yield
    forget_host(acme.host)


# -- hosts ----------------------------------------------------------------------------------------------------------


def test_an_unknown_host_is_a_clear_page(acme: TenantView) -> None:
    answer = Client(SERVER_NAME="nobody.localhost").get("/invoices/")

    assert answer.status_code == 404
    assert "No workspace lives here" in answer.content.decode()


def test_an_unknown_host_is_a_problem_for_programs(acme: TenantView) -> None:
    answer = Client(SERVER_NAME="nobody.localhost").get("/api/v1/me")

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "host",
    [
        "acme.localhost.evil.test",
        "evil.test",
        "localhost.evil.test",
        "xlocalhost",
        "acme.acme.localhost",
        "127.0.0.1",
        "[::1]",
        "a" * 300,
    ],
)
def test_foreign_hosts_reach_nothing(acme: TenantView, host: str) -> None:
    assert Client(HTTP_HOST=host).get("/sign-in/").status_code in (400, 404)


@pytest.mark.parametrize(
    "host", ["acme.localhost/x", "acme.localhost@evil.test", "acme localhost", "acme.localhost:x", ""]
)
def test_malformed_hosts_are_bad_requests(acme: TenantView, host: str) -> None:
    assert Client(HTTP_HOST=host).get("/sign-in/").status_code in (400, 404)


@pytest.mark.parametrize("host", ["ACME.localhost", "acme.localhost.", "acme.localhost:8000"])
def test_harmless_spellings_of_a_host_are_the_host(acme: TenantView, host: str) -> None:
    assert Client(HTTP_HOST=host).get("/sign-in/").status_code == 200


def test_a_forwarded_host_is_not_believed(acme: TenantView, globex: TenantView) -> None:
    page = Client(SERVER_NAME=acme.host).get("/sign-in/", HTTP_X_FORWARDED_HOST=globex.host).content.decode()

    assert acme.name in page
    assert globex.name not in page


def test_health_is_asked_by_any_name(acme: TenantView) -> None:
    assert Client(SERVER_NAME="10.0.0.7").get("/health/live").status_code == 200


def test_a_custom_domain_leads_to_its_tenant(acme: TenantView) -> None:
    Domain.objects.create(domain="billing.acme.example", tenant_id=acme.id)

    assert acme.name in Client(SERVER_NAME="billing.acme.example").get("/sign-in/").content.decode()
    forget_host("billing.acme.example")


def test_the_admin_is_on_the_platforms_host_only(acme: TenantView) -> None:
    assert Client(SERVER_NAME=acme.host).get("/admin/").status_code == 404


# -- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_of_another_tenant_is_refused_on_a_tenants_host(
    acme: TenantView, globex: TenantView, api: ApiFor
) -> None:
    answer = api(acme).get("/api/v1/me", SERVER_NAME=globex.host)

    assert (answer.status_code, answer.json()["code"]) == (403, "tenant_mismatch")
    assert api(acme).get("/api/v1/me", SERVER_NAME=acme.host).status_code == 200


def test_an_operators_token_is_refused_on_a_tenants_host(acme: TenantView, anonymous_api: APIClient) -> None:
    body = {"email": operator(), "password": PASSWORD, "tenant": None}
    token = anonymous_api.post("/api/v1/auth/signin", body).json()["access"]

    answer = anonymous_api.get("/api/v1/me", SERVER_NAME=acme.host, HTTP_AUTHORIZATION=f"Bearer {token}")

    assert answer.json()["code"] == "tenant_mismatch"


@pytest.mark.parametrize("name", ["id", "key"])
def test_the_header_may_repeat_the_tokens_tenant(acme: TenantView, api: ApiFor, name: str) -> None:
    assert api(acme).get("/api/v1/me", HTTP_X_TENANT_ID=str(getattr(acme, name))).status_code == 200


@pytest.mark.parametrize("named", ["globex", "zzzzzzzz", "acme", "' OR 1=1"])
def test_a_header_that_names_anything_else_is_refused(
    acme: TenantView, globex: TenantView, api: ApiFor, named: str
) -> None:
    answer = api(acme).get("/api/v1/me", HTTP_X_TENANT_ID=globex.key if named == "globex" else named)

    assert (answer.status_code, answer.json()["code"]) == (403, "tenant_mismatch")


def test_a_session_is_no_credential_for_the_api(acme: TenantView, browser_client: BrowserFor) -> None:
    assert browser_client(acme).get("/api/v1/me").status_code == 401


def test_identity_headers_of_a_client_are_ignored(acme: TenantView, anonymous_api: APIClient) -> None:
    answer = anonymous_api.get("/api/v1/me", HTTP_X_USER_ID=str(acme.id), HTTP_X_TENANT_ID=acme.key)

    assert answer.status_code == 401


# -- the tenant's state ---------------------------------------------------------------------------------------------


def test_a_suspended_tenant_is_read_only_for_programs(acme: TenantView, api: ApiFor) -> None:
    client = api(acme)
    _set_status(acme, TenantStatus.SUSPENDED)

    assert client.get("/api/v1/me").status_code == 200
    answer = client.patch("/api/v1/me", {"first_name": "X"})
    assert (answer.status_code, answer.json()["code"]) == (403, "tenant_suspended")
    assert client.post("/api/v1/auth/signout").status_code == 204


def test_a_suspended_tenant_is_read_only_for_browsers(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    _set_status(acme, TenantStatus.SUSPENDED)

    assert client.get("/").status_code == 200
    refused = client.post("/")
    assert refused.status_code == 403
    assert "suspended" in refused.content.decode()
    assert client.post("/sign-out/").status_code == 302
    assert client.post("/sign-in/", {"email": "owner@acme.test", "password": PASSWORD}).status_code == 302


def test_a_tenant_in_preparation_shows_its_progress(acme: TenantView, api: ApiFor) -> None:
    client = api(acme)
    _set_status(acme, TenantStatus.PROVISIONING)

    assert Client(SERVER_NAME=acme.host).get("/")["Location"] == f"http://localhost/sign-up/{acme.key}/"
    assert client.get("/api/v1/me").json()["code"] == "tenant_not_available"


def test_a_failed_tenant_is_not_available(acme: TenantView) -> None:
    _set_status(acme, TenantStatus.PROVISIONING_FAILED)

    answer = Client(SERVER_NAME=acme.host).get("/")
    assert answer.status_code == 403
    assert "not available" in answer.content.decode()


def test_a_deleted_tenant_is_gone(acme: TenantView, api: ApiFor) -> None:
    client = api(acme)
    _set_status(acme, TenantStatus.DELETED)

    assert Client(SERVER_NAME=acme.host).get("/").status_code == 404
    assert client.get("/api/v1/me").json()["code"] == "tenant_not_available"


# -- around the view ------------------------------------------------------------------------------------------------


def test_the_scope_ends_with_the_request(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    client.get("/")
    client.get("/no-such-page/")
    client.post("/")

    assert current_scope() is PUBLIC


@pytest.mark.parametrize(("sent", "kept"), [("abc-123:x", True), ("x" * 65, False), ("a b", False), ("a\x00b", False)])
def test_a_sane_correlation_id_is_kept_and_every_answer_names_one(
    acme: TenantView, anonymous_api: APIClient, sent: str, kept: bool
) -> None:
    answer = anonymous_api.get("/api/v1/me", HTTP_X_CORRELATION_ID=sent)

    assert (answer["X-Correlation-ID"] == sent) is kept
    assert answer.json()["correlation_id"] == answer["X-Correlation-ID"]


def test_identity_costs_one_statement_and_the_transaction_one_message(
    acme: TenantView, api: ApiFor, django_assert_num_queries: Any
) -> None:
    client = api(acme)
    client.get("/api/v1/tenant")

    # Identity; inside this test's own transaction the request's is a savepoint, two statements.
    with django_assert_num_queries(3):
        assert client.get("/api/v1/tenant").status_code == 200


def test_unknown_routes_of_the_platform_are_not_found(acme: TenantView) -> None:
    assert Client(SERVER_NAME=settings.PLATFORM_HOST).get("/invoices/").status_code == 404

"""One's own profile, the tenant and its members."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, person
from tests.fixtures.clients import ApiFor


def test_me_tells_who_and_what_one_may_do(acme: TenantView, api: ApiFor) -> None:
    body = api(acme, "MEMBER").get("/api/v1/me").json()

    assert (body["email"], body["email_verified"], body["roles"]) == ("member@acme.test", True, ["MEMBER"])
    assert body["tenant"] == {"key": acme.key, "slug": acme.slug, "name": acme.name}
    assert "invoices:write" in body["permissions"]
    assert body["platform_role"] is None


def test_names_and_language_can_be_changed_and_that_is_audited(acme: TenantView, api: ApiFor) -> None:
    client = api(acme, "VIEWER")
    answer = client.patch("/api/v1/me", {"first_name": "Vi", "locale": "de", "email": "evil@x.test"})

    assert answer.status_code == 200
    assert (answer.json()["first_name"], answer.json()["locale"]) == ("Vi", "de")
    assert answer.json()["email"] == "viewer@acme.test"
    entry = AuditEntry.objects.filter(action="iam.user.update").order_by("-pk")[0]
    assert (entry.before, entry.after) == ({"first_name": "", "locale": "en"}, {"first_name": "Vi", "locale": "de"})
    assert entry.tenant_id == acme.id


@pytest.mark.parametrize("body", [{"locale": "xx"}, {"first_name": "x" * 101}, {"first_name": ["x"]}])
def test_bad_values_are_refused(acme: TenantView, api: ApiFor, body: dict[str, Any]) -> None:
    assert api(acme).patch("/api/v1/me", body).status_code == 400


def test_memberships_name_every_workspace(acme: TenantView, globex: TenantView, anonymous_api: APIClient) -> None:
    _, email = person(acme, "ADMIN")
    person(globex, "VIEWER", email=email)
    body = {"email": email, "password": PASSWORD, "tenant": acme.key}
    token = anonymous_api.post("/api/v1/auth/signin", body).json()["access"]

    answer = anonymous_api.get("/api/v1/me/memberships", HTTP_AUTHORIZATION=f"Bearer {token}").json()

    assert [(row["tenant"]["key"], row["roles"], row["status"]) for row in answer["data"]] == [
        (acme.key, ["ADMIN"], "ACTIVE"),
        (globex.key, ["VIEWER"], "ACTIVE"),
    ]
    assert (answer["next_cursor"], answer["has_more"]) == (None, False)


def test_the_tenant_shows_its_settings_to_every_member(acme: TenantView, api: ApiFor) -> None:
    body = api(acme, "VIEWER").get("/api/v1/tenant").json()

    assert (body["key"], body["name"], body["status"]) == (acme.key, "Acme", "ACTIVE")
    assert body["url"] == "http://acme.localhost"
    assert "schema_name" not in body


@pytest.mark.parametrize(
    ("role", "status"), [("OWNER", 200), ("ADMIN", 200), ("ACCOUNTANT", 200), ("MEMBER", 200), ("VIEWER", 403)]
)
def test_members_are_listed_to_those_who_may(acme: TenantView, api: ApiFor, role: str, status: int) -> None:
    assert api(acme, role).get("/api/v1/members").status_code == status


def test_members_are_this_tenants_own_and_come_in_pages(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    client = api(acme)
    emails, cursor = [], ""
    while True:
        page = client.get("/api/v1/members", {"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        emails += [row["email"] for row in page["data"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break

    assert emails == [f"{role}@acme.test" for role in ("viewer", "member", "accountant", "admin", "owner")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "ADMIN@"}, ["admin@acme.test"]),
        ({"role": "owner"}, ["owner@acme.test"]),
        ({"status": "banned"}, []),
        ({"q": "%"}, []),
        ({"q": "globex"}, []),
    ],
)
def test_members_can_be_searched(
    acme: TenantView, globex: TenantView, api: ApiFor, query: dict[str, str], expected: list[str]
) -> None:
    assert [row["email"] for row in api(acme).get("/api/v1/members", query).json()["data"]] == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "me"),
        ("patch", "me"),
        ("get", "me/memberships"),
        ("get", "tenant"),
        ("get", "members"),
        ("post", "auth/validate"),
        ("post", "auth/signout"),
        ("post", "auth/signout-all"),
    ],
)
def test_nothing_of_this_is_open(acme: TenantView, anonymous_api: APIClient, method: str, path: str) -> None:
    answer = getattr(anonymous_api, method)(f"/api/v1/{path}")

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")

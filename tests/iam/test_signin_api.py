"""Programs sign in, find their workspaces, and sign out."""

import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.iam.models import Membership, MembershipStatus, User
from apps.tenancy.models import Tenant, TenantStatus
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator, person
from tests.fixtures.clients import ApiFor


def _sign_in(client: APIClient, **body: Any) -> Any:
    return client.post("/api/v1/auth/signin", {"email": "owner@acme.test", "password": PASSWORD, **body})


@pytest.mark.parametrize("name", ["key", "slug"])
def test_sign_in_by_key_or_slug(anonymous_api: APIClient, acme: TenantView, name: str) -> None:
    answer = _sign_in(anonymous_api, tenant=getattr(acme, name))

    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"access", "refresh", "token_type", "expires_in", "tenant", "user"}
    assert body["tenant"] == {"key": acme.key, "slug": acme.slug, "name": acme.name}
    assert body["user"]["email"] == "owner@acme.test"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert answer["Cache-Control"] == "no-store"


def test_the_only_workspace_need_not_be_named(anonymous_api: APIClient, acme: TenantView) -> None:
    assert _sign_in(anonymous_api).json()["tenant"]["key"] == acme.key


def test_with_several_workspaces_one_must_be_named(
    anonymous_api: APIClient, acme: TenantView, globex: TenantView
) -> None:
    _, email = person(acme)
    person(globex, email=email)

    answer = _sign_in(anonymous_api, email=email)

    assert answer.status_code == 400
    assert answer.json()["errors"][0] == {
        "field": "tenant",
        "code": "required",
        "detail": "You belong to several workspaces: name one of them.",
    }


def test_the_host_names_the_tenant(acme: TenantView, globex: TenantView) -> None:
    _, email = person(acme)
    person(globex, email=email)

    answer = _sign_in(APIClient(SERVER_NAME=globex.host), email=email)

    assert answer.json()["tenant"]["key"] == globex.key


def test_letter_case_of_the_address_does_not_matter(anonymous_api: APIClient, acme: TenantView) -> None:
    assert _sign_in(anonymous_api, email="Owner@ACME.test").status_code == 200


@pytest.mark.parametrize("wrong", [{"password": "Wrong-pass-1"}, {"email": "nobody@acme.test"}])
@pytest.mark.parametrize("path", ["signin", "discover"])
def test_unknown_address_and_wrong_password_cannot_be_told_apart(
    anonymous_api: APIClient, acme: TenantView, wrong: dict[str, str], path: str
) -> None:
    answer = anonymous_api.post(f"/api/v1/auth/{path}", {"email": "owner@acme.test", "password": PASSWORD, **wrong})

    body = answer.json()
    assert answer.status_code == 401
    assert (body["code"], body["detail"]) == ("invalid_credentials", "E-mail or password is wrong.")
    refusal = AuditEntry.objects.filter(action="iam.session.refuse").order_by("-pk")[0]
    assert refusal.entity_label == wrong.get("email", "owner@acme.test")
    assert PASSWORD not in str(refusal.after)


def test_an_unknown_address_takes_as_long_as_a_wrong_password(
    anonymous_api: APIClient, acme: TenantView, product_hashing: None
) -> None:
    # Whoever signs in gets a hash of today's cost.
    assert _sign_in(anonymous_api).status_code == 200

    def seconds(email: str) -> float:
        started = time.perf_counter()
        _sign_in(anonymous_api, email=email, password="Wrong-pass-1")
        return time.perf_counter() - started

    # By turns, and the quickest of each: whatever else the machine does makes both longer. The sixth would be locked.
    turns = [(seconds("owner@acme.test"), seconds("nobody@acme.test")) for _ in range(5)]
    known, unknown = (min(times) for times in zip(*turns, strict=True))

    assert 0.5 < unknown / known < 2


def test_an_unknown_tenant_and_a_foreign_one_cannot_be_told_apart(
    anonymous_api: APIClient, acme: TenantView, globex: TenantView
) -> None:
    foreign = _sign_in(anonymous_api, tenant=globex.key)
    unknown = _sign_in(anonymous_api, tenant="zzzzzzzz")

    assert foreign.status_code == unknown.status_code == 403
    assert foreign.json()["code"] == unknown.json()["code"] == "not_a_member"
    assert foreign.json()["detail"] == unknown.json()["detail"]


@pytest.mark.parametrize("status", [MembershipStatus.BANNED, MembershipStatus.REMOVED])
def test_banned_and_removed_members_stay_outside(
    anonymous_api: APIClient, acme: TenantView, status: MembershipStatus
) -> None:
    user_id, email = person(acme)
    Membership.objects.filter(user_id=user_id).update(status=status)

    assert _sign_in(anonymous_api, email=email, tenant=acme.key).json()["code"] == "not_a_member"
    assert _sign_in(anonymous_api, email=email).json()["code"] == "no_workspace"


def test_an_inactive_account_stays_outside_and_only_the_password_tells(
    anonymous_api: APIClient, acme: TenantView
) -> None:
    user_id, email = person(acme)
    User.objects.filter(pk=user_id).update(is_active=False)

    assert _sign_in(anonymous_api, email=email).json()["code"] == "account_inactive"
    assert _sign_in(anonymous_api, email=email, password="Wrong-pass-1").json()["code"] == "invalid_credentials"


@pytest.mark.parametrize(
    ("status", "code"),
    [(TenantStatus.PROVISIONING, 403), (TenantStatus.DELETED, 403), (TenantStatus.SUSPENDED, 200)],
)
def test_only_readable_tenants_can_be_entered(
    anonymous_api: APIClient, acme: TenantView, status: TenantStatus, code: int
) -> None:
    Tenant.objects.filter(pk=acme.id).update(status=status)

    assert _sign_in(anonymous_api, tenant=acme.key).status_code == code


@pytest.mark.parametrize(
    "body",
    [
        {"email": ""},
        {"email": "no-address"},
        {"password": ""},
        {"password": "x" * 129},
        {"email": ["a@b.test"]},
        {"tenant": {"key": "x"}},
        {"email": "nul\x00@acme.test"},
    ],
)
def test_bad_input_is_refused(anonymous_api: APIClient, acme: TenantView, body: dict[str, Any]) -> None:
    answer = _sign_in(anonymous_api, **body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "validation_failed"


def test_malformed_json_is_refused(anonymous_api: APIClient, acme: TenantView) -> None:
    answer = anonymous_api.post("/api/v1/auth/signin", "{", content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


def test_discovery_lists_active_memberships_of_active_tenants(
    anonymous_api: APIClient, acme: TenantView, globex: TenantView
) -> None:
    user_id, email = person(acme, "ACCOUNTANT")
    person(globex, email=email)
    credentials = {"email": email, "password": PASSWORD}

    both = anonymous_api.post("/api/v1/auth/discover", credentials).json()
    Tenant.objects.filter(pk=globex.id).update(status=TenantStatus.SUSPENDED)
    one = anonymous_api.post("/api/v1/auth/discover", credentials).json()
    Membership.objects.filter(user_id=user_id).update(status=MembershipStatus.BANNED)
    none = anonymous_api.post("/api/v1/auth/discover", credentials).json()

    assert [found["key"] for found in both["data"]] == [acme.key, globex.key]
    assert one == {"data": [{"key": acme.key, "slug": acme.slug, "name": acme.name, "roles": ["ACCOUNTANT"]}]}
    assert none == {"data": []}


def test_operators_sign_in_without_a_tenant(anonymous_api: APIClient, acme: TenantView) -> None:
    answer = _sign_in(anonymous_api, email=operator("PLATFORM_SUPPORT"), tenant=None)
    anonymous_api.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")

    assert answer.json()["tenant"] is None
    me = anonymous_api.get("/api/v1/me").json()
    assert (me["platform_role"], me["tenant"], me["permissions"]) == ("PLATFORM_SUPPORT", None, ["platform:read"])
    assert anonymous_api.get("/api/v1/tenant").status_code == 403
    assert anonymous_api.get("/api/v1/members").status_code == 403


def test_others_do_not_get_an_operators_token(anonymous_api: APIClient, acme: TenantView) -> None:
    assert _sign_in(anonymous_api, tenant=None).status_code == 403


def test_sign_out_ends_access_and_refresh_of_this_sign_in_only(anonymous_api: APIClient, acme: TenantView) -> None:
    first, second = (_sign_in(anonymous_api).json() for _ in range(2))

    out = anonymous_api.post("/api/v1/auth/signout", HTTP_AUTHORIZATION=f"Bearer {first['access']}")

    assert out.status_code == 204
    assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {first['access']}").status_code == 401
    assert anonymous_api.post("/api/v1/auth/refresh", {"refresh": first["refresh"]}).status_code == 401
    assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {second['access']}").status_code == 200


def test_sign_out_everywhere_ends_all_and_the_next_sign_in_works_at_once(
    anonymous_api: APIClient, acme: TenantView
) -> None:
    first, second = (_sign_in(anonymous_api).json() for _ in range(2))

    anonymous_api.post("/api/v1/auth/signout-all", HTTP_AUTHORIZATION=f"Bearer {first['access']}")
    third = _sign_in(anonymous_api).json()

    for dead in (first, second):
        assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {dead['access']}").status_code == 401
        assert anonymous_api.post("/api/v1/auth/refresh", {"refresh": dead["refresh"]}).status_code == 401
    assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {third['access']}").status_code == 200
    assert anonymous_api.post("/api/v1/auth/refresh", {"refresh": third["refresh"]}).status_code == 200


def test_validate_tells_what_a_token_stands_for(acme: TenantView, api: ApiFor) -> None:
    client = api(acme, "VIEWER")
    answer = client.post("/api/v1/auth/validate").json()

    fields = {"active", "user_id", "email", "tenant_key", "roles", "permissions", "expires_at", "api_key"}
    assert (set(answer), answer["api_key"]) == (fields, None)
    assert (answer["active"], answer["tenant_key"], answer["roles"]) == (True, acme.key, ["VIEWER"])
    assert "invoices:read" in answer["permissions"]
    assert "invoices:write" not in answer["permissions"]


def test_a_changed_role_counts_at_once(acme: TenantView, anonymous_api: APIClient) -> None:
    user_id, email = person(acme, "ADMIN")
    token = _sign_in(anonymous_api, email=email).json()["access"]
    anonymous_api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    Membership.objects.filter(user_id=user_id).update(role="VIEWER")
    assert anonymous_api.get("/api/v1/members").status_code == 403

    Membership.objects.filter(user_id=user_id).update(status="BANNED")
    assert anonymous_api.get("/api/v1/me").status_code == 401


def test_sign_ins_are_audited(anonymous_api: APIClient, acme: TenantView) -> None:
    anonymous_api.post(
        "/api/v1/auth/signin",
        {"email": "owner@acme.test", "password": PASSWORD},
        HTTP_USER_AGENT="Probe/1",
        HTTP_X_CORRELATION_ID="audit-me",
    )

    entry = AuditEntry.objects.filter(action="iam.session.start").order_by("-pk")[0]
    assert (entry.tenant_id, entry.actor_name, entry.user_agent) == (acme.id, "owner@acme.test", "Probe/1")
    assert (entry.ip, entry.correlation_id, entry.source) == ("127.0.0.1", "audit-me", "API")

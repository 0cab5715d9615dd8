"""Token exchange leads a program to another workspace of its person, and proves nothing anew."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.core.clock import utcnow
from apps.iam import mfa_policy
from apps.iam.exchanging import ACCESS_TOKEN, GRANT_TYPE
from apps.iam.models import TokenFamily, User
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, person
from tests.fixtures.tenants import actor_of
from tests.iam.second_factors import enrol


@pytest.fixture
def email(acme: TenantView, globex: TenantView) -> str:
    """A member of both."""
    _, address = person(acme)
    person(globex, "VIEWER", email=address)
    return address


def _token(client: APIClient, email: str, tenant: TenantView, **more: str) -> str:
    body = {"email": email, "password": PASSWORD, "tenant": tenant.key, **more}
    return str(client.post("/api/v1/auth/signin", body).json()["access"])


def _exchange(client: APIClient, token: str, audience: str, **other: str) -> Any:
    form = {"grant_type": GRANT_TYPE, "subject_token": token, "subject_token_type": ACCESS_TOKEN, "audience": audience}
    return client.post("/api/v1/auth/token", "&".join(f"{k}={v}" for k, v in (form | other).items()),
                       content_type="application/x-www-form-urlencoded")  # fmt: skip


def test_a_form_leads_to_another_workspace(
    anonymous_api: APIClient, acme: TenantView, globex: TenantView, email: str
) -> None:
    token = _token(anonymous_api, email, acme)
    TokenFamily.objects.filter(user__email=email).update(proved_at=utcnow() - timedelta(hours=2))

    answer = _exchange(anonymous_api, token, globex.key)

    body = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert (body["issued_token_type"], body["token_type"]) == (ACCESS_TOKEN, "Bearer")
    family = TokenFamily.objects.get(user__email=email, tenant_id=globex.id)
    assert family.proved_at is not None
    assert utcnow() - family.proved_at > timedelta(hours=1)
    for access, tenant, role in ((body["access_token"], globex, "VIEWER"), (token, acme, "MEMBER")):
        anonymous_api.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
        me = anonymous_api.get("/api/v1/me").json()
        assert (me["tenant"]["key"], me["roles"]) == (tenant.key, [role])


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"grant_type": "password"}, 400),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, 400),
        ({"subject_token": "x"}, 401),
    ],
)
def test_what_is_refused(
    anonymous_api: APIClient, acme: TenantView, globex: TenantView, email: str, other: dict[str, str], status: int
) -> None:
    assert _exchange(anonymous_api, _token(anonymous_api, email, acme), globex.key, **other).status_code == status


def test_neither_strangers_nor_into_suspended_workspaces(
    anonymous_api: APIClient, acme: TenantView, globex: TenantView, email: str
) -> None:
    stranger = _token(anonymous_api, "member@acme.test", acme)
    assert _exchange(anonymous_api, stranger, globex.key).json()["code"] == "not_a_member"
    token = _token(anonymous_api, email, acme)
    Tenant.objects.filter(pk=globex.id).update(status="SUSPENDED")
    assert _exchange(anonymous_api, token, globex.key).status_code in (403, 409)


def test_what_the_target_demands_is_asked_first(
    anonymous_api: APIClient, acme: TenantView, globex: TenantView, email: str
) -> None:
    owner = actor_of(globex)
    assert owner.user_id is not None
    enrol(globex, owner.user_id, owner.email)
    mfa_policy.change(actor=owner, required=True, grace_days=0)
    token = _token(anonymous_api, email, acme)

    refused = _exchange(anonymous_api, token, globex.key)
    assert (refused.status_code, refused.json()["code"]) == (403, "mfa_required")
    who = enrol(acme, User.objects.get(email=email).id, email)
    anonymous_api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert anonymous_api.post("/api/v1/auth/confirm", {"password": PASSWORD, "otp": who.code()}).status_code == 204
    anonymous_api.credentials()
    assert _exchange(anonymous_api, token, globex.key).status_code == 200

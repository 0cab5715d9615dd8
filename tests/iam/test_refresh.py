"""Refresh tokens rotate; a stolen one ends its family."""

from collections import Counter
from datetime import timedelta
from typing import Any

from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.iam import signins
from apps.iam.models import Channel, Membership, RefreshToken, TokenFamily, User
from apps.iam.proofs import Proof
from apps.tenancy.models import Tenant, TenantStatus
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, person
from tests.fixtures.tenants import NewTenant
from tests.iam.threads import at_once


def _sign_in(client: APIClient, email: str = "owner@acme.test") -> dict[str, Any]:
    body: dict[str, Any] = client.post("/api/v1/auth/signin", {"email": email, "password": PASSWORD}).json()
    return body


def _refresh(client: APIClient, refresh: str) -> Any:
    return client.post("/api/v1/auth/refresh", {"refresh": refresh})


def _age(seconds: float) -> None:
    moment = utcnow() - timedelta(seconds=seconds)
    RefreshToken.objects.exclude(used_at=None).update(used_at=moment)


def test_a_refresh_gives_a_new_pair_for_the_same_workspace(anonymous_api: APIClient, acme: TenantView) -> None:
    first = _sign_in(anonymous_api)
    answer = _refresh(anonymous_api, first["refresh"])

    second = answer.json()
    assert answer.status_code == 200
    assert set(second) == set(first)
    assert second["refresh"] != first["refresh"]
    assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {second['access']}").status_code == 200
    assert _refresh(anonymous_api, second["refresh"]).status_code == 200


def test_within_the_grace_a_second_use_conflicts_and_harms_nobody(anonymous_api: APIClient, acme: TenantView) -> None:
    first = _sign_in(anonymous_api)
    second = _refresh(anonymous_api, first["refresh"]).json()

    again = _refresh(anonymous_api, first["refresh"])

    assert (again.status_code, again.json()["code"]) == (409, "refresh_in_progress")
    assert _refresh(anonymous_api, second["refresh"]).status_code == 200


def test_a_spent_token_ends_its_whole_family_but_no_other(anonymous_api: APIClient, acme: TenantView) -> None:
    stolen, other = _sign_in(anonymous_api), _sign_in(anonymous_api)
    second = _refresh(anonymous_api, stolen["refresh"]).json()
    _age(seconds=11)

    assert _refresh(anonymous_api, stolen["refresh"]).status_code == 401

    assert _refresh(anonymous_api, second["refresh"]).status_code == 401
    assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {second['access']}").status_code == 401
    assert _refresh(anonymous_api, other["refresh"]).status_code == 200
    entry = AuditEntry.objects.filter(action="iam.session.revoke_reused").latest("id")
    assert (entry.severity, entry.tenant_id) == ("HIGH", acme.id)


def test_an_access_token_is_no_refresh_token_and_the_reverse(anonymous_api: APIClient, acme: TenantView) -> None:
    pair = _sign_in(anonymous_api)

    assert _refresh(anonymous_api, pair["access"]).status_code == 400  # longer than any refresh token
    assert _refresh(anonymous_api, pair["access"][:400]).status_code == 401
    assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {pair['refresh']}").status_code == 401


def test_a_refresh_token_lives_seven_days(anonymous_api: APIClient, acme: TenantView) -> None:
    pair = _sign_in(anonymous_api)
    token = RefreshToken.objects.order_by("-pk")[0]

    assert token.expires_at - token.created_at == timedelta(days=7)
    RefreshToken.objects.filter(pk=token.pk).update(expires_at=utcnow() - timedelta(seconds=1))
    assert _refresh(anonymous_api, pair["refresh"]).status_code == 401


def test_a_sign_in_ends_however_much_it_is_used(anonymous_api: APIClient, acme: TenantView) -> None:
    pair = _sign_in(anonymous_api)
    family = TokenFamily.objects.latest("started_at")
    assert family.ends_at == family.started_at + timedelta(days=30)
    pair = _refresh(anonymous_api, pair["refresh"]).json()
    family.refresh_from_db()
    assert family.ends_at == family.started_at + timedelta(days=30)

    now = utcnow()
    for over in (
        {"ends_at": now - timedelta(seconds=1)},
        {"ends_at": None, "started_at": now - timedelta(days=30)},  # as earlier versions left it
    ):
        TokenFamily.objects.filter(pk=family.pk).update(**over)
        assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {pair['access']}").status_code == 401
        assert _refresh(anonymous_api, pair["refresh"]).status_code == 401


def test_another_workspace_by_an_earlier_proof_is_no_longer_sign_in(acme: TenantView) -> None:
    user = User.objects.get(email="owner@acme.test")
    proof = Proof.given(("pwd",), utcnow() - timedelta(days=29))
    family = signins.start_family(user, acme.id, Channel.API, Origin(), proof=proof)
    assert family.ends_at == proof.proved_at + timedelta(days=30)


def test_only_the_digest_is_stored(anonymous_api: APIClient, acme: TenantView) -> None:
    pair = _sign_in(anonymous_api)

    assert not RefreshToken.objects.filter(digest=pair["refresh"]).exists()
    assert len(RefreshToken.objects.order_by("-pk")[0].digest) == 64


def test_whoever_may_not_enter_any_more_gets_no_new_pair(anonymous_api: APIClient, acme: TenantView) -> None:
    user_id, email = person(acme)
    refresh = _sign_in(anonymous_api, email)["refresh"]
    for rows, shut, open_again in (
        (Membership.objects.filter(user_id=user_id), {"status": "BANNED"}, {"status": "ACTIVE"}),
        (User.objects.filter(pk=user_id), {"is_active": False}, {"is_active": True}),
        (Tenant.objects.filter(pk=acme.id), {"status": TenantStatus.DELETED}, {"status": TenantStatus.ACTIVE}),
    ):
        rows.update(**shut)
        assert _refresh(anonymous_api, refresh).status_code == 401
        rows.update(**open_again)

    assert _refresh(anonymous_api, refresh).status_code == 200


def test_of_sixteen_threads_with_one_token_exactly_one_succeeds(committed: NewTenant) -> None:
    tenant = committed("Sixteen Threads")
    pair = _sign_in(APIClient(SERVER_NAME="localhost"), f"owner@{tenant.slug}.test")

    answers = at_once(16, lambda _: _refresh(APIClient(SERVER_NAME="localhost"), pair["refresh"]))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 15}
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    assert _refresh(APIClient(SERVER_NAME="localhost"), winner["refresh"]).status_code == 200
    family = TokenFamily.objects.get(tenant_id=tenant.id)
    assert RefreshToken.objects.filter(family=family).count() == 3


def test_of_sixteen_threads_with_a_stolen_token_none_succeeds(committed: NewTenant) -> None:
    tenant = committed("Sixteen Thieves")
    pair = _sign_in(APIClient(SERVER_NAME="localhost"), f"owner@{tenant.slug}.test")
    _refresh(APIClient(SERVER_NAME="localhost"), pair["refresh"])
    _age(seconds=11)

    answers = at_once(16, lambda _: _refresh(APIClient(SERVER_NAME="localhost"), pair["refresh"]))

    assert {answer.status_code for answer in answers} == {401}
    assert TokenFamily.objects.get(tenant_id=tenant.id).revoked_reason == "reuse"

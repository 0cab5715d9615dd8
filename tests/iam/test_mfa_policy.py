"""A workspace may demand a second factor of its members, after some days of grace."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.db.utils import ProgrammingError
from django.test import Client
from rest_framework.test import APIClient

from apps.core.clock import utcnow
from apps.core.tenants import tenant_transaction
from apps.iam import mfa_policy, totp
from apps.iam.errors import MfaDemanded, NoSecondFactor
from apps.iam.factor_models import MfaPolicy
from apps.iam.models import User
from apps.iam.proofs import Proof
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator, person
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import actor_of
from tests.iam.second_factors import enrol, enrolled


def _demand(tenant: TenantView, grace_days: int = 0) -> None:
    actor = actor_of(tenant)
    assert actor.user_id is not None
    enrol(tenant, actor.user_id, actor.email)
    mfa_policy.change(actor=actor, required=True, grace_days=grace_days)


def _id(email: str) -> UUID:
    return User.objects.get(email=email).id


def test_who_demands_it_has_one_himself(acme: TenantView) -> None:
    with pytest.raises(NoSecondFactor):
        mfa_policy.change(actor=actor_of(acme), required=True)


@pytest.mark.parametrize(("role", "status"), [("ADMIN", 409), ("ACCOUNTANT", 403), ("VIEWER", 403)])
def test_only_keepers_of_the_settings_may_ask(acme: TenantView, api: ApiFor, role: str, status: int) -> None:
    assert api(acme, role).put("/api/v1/tenant/mfa", {"required": True}).status_code == status


def test_within_the_grace_people_go_on_and_are_reminded(acme: TenantView, browser_client: BrowserFor) -> None:
    _demand(acme, grace_days=7)
    client = browser_client(acme, "MEMBER")

    assert b"Set up two-step sign-in" in client.get("/clients/").content
    assert mfa_policy.due_at(_id("member@acme.test"), acme.id) is not None


def test_afterwards_programs_are_let_in_only_to_set_it_up(acme: TenantView, api: ApiFor) -> None:
    _demand(acme)
    client = api(acme, "MEMBER")

    refused = client.get("/api/v1/clients")
    assert (refused.status_code, refused.json()["code"]) == (403, "mfa_required")
    secret = client.post("/api/v1/me/mfa/totp").json()["secret"]
    code = totp.code_at(secret, totp.step_at(utcnow()))
    assert client.post("/api/v1/me/mfa/totp/confirm", {"code": "000000"}).status_code == 400
    assert len(client.post("/api/v1/me/mfa/totp/confirm", {"code": code}).json()["recovery_codes"]) == 10
    assert client.get("/api/v1/clients").status_code == 200


def test_afterwards_pages_lead_to_setting_it_up(acme: TenantView, browser_client: BrowserFor) -> None:
    _demand(acme)
    client: Client = browser_client(acme, "MEMBER")

    asked = client.get("/clients/")
    assert asked["Location"] == "/account/second-factor/?next=%2Fclients%2F"
    seed = client.get(asked["Location"]).context["seed"]
    again = client.post(asked["Location"], {"code": "000000"})
    assert (again.status_code, again.context["seed"]) == (400, seed)
    made = client.post(asked["Location"], {"code": totp.code_at(seed, totp.step_at(utcnow()))})
    assert len(made.context["codes"]) == 10
    assert client.get("/clients/").status_code == 200


def test_who_set_it_up_elsewhere_proves_it_here(acme: TenantView, api: ApiFor) -> None:
    client = api(acme, "MEMBER")
    _demand(acme)
    who = enrol(acme, _id("member@acme.test"), "member@acme.test")

    assert client.get("/api/v1/clients").json()["methods"] == ["otp", "recovery_code"]
    assert client.post("/api/v1/auth/confirm", {"password": PASSWORD, "otp": who.code()}).status_code == 204
    assert client.get("/api/v1/clients").status_code == 200


def test_other_workspaces_demand_nothing(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    _demand(acme)

    assert api(globex, "MEMBER").get("/api/v1/clients").status_code == 200


def test_whoever_joins_later_has_as_many_days(acme: TenantView) -> None:
    _demand(acme, grace_days=3)
    MfaPolicy.objects.filter(pk=acme.id).update(required_at=utcnow() - timedelta(days=100))
    user_id, _ = person(acme)

    due = mfa_policy.due_at(user_id, acme.id)
    assert due is not None
    assert timedelta(days=2) < due - utcnow() <= timedelta(days=3)


def test_an_exchange_into_a_workspace_that_demands_more_is_refused(acme: TenantView) -> None:
    _demand(acme)
    who, now = enrolled(acme), utcnow()

    with pytest.raises(MfaDemanded):
        mfa_policy.require_strength(user_id=who.id, tenant_id=acme.id, proof=Proof.given(("pwd",), now))
    mfa_policy.require_strength(user_id=who.id, tenant_id=acme.id, proof=Proof.given(("pwd", "otp", "mfa"), now))


def test_the_settings_page_changes_it(acme: TenantView, browser_client: BrowserFor) -> None:
    who = actor_of(acme)
    client = browser_client(acme)
    assert who.user_id is not None
    factor = enrol(acme, who.user_id, who.email)
    client.post("/account/confirm/", {"password": PASSWORD, "code": factor.code()})

    assert client.post("/settings/sign-in/", {"required": "on", "grace_days": "91"}).status_code == 400
    assert client.post("/settings/sign-in/", {"required": "on", "grace_days": "3"})["Location"] == "/settings/sign-in/"
    assert mfa_policy.of(acme.id).grace_days == 3
    client.post("/settings/sign-in/", {"grace_days": "3"})
    assert mfa_policy.of(acme.id).required_at is None


def test_a_tenants_role_reads_none_of_it(acme: TenantView) -> None:
    enrolled(acme)
    tables = ("authenticator_app", "recovery_code", "passkey", "passkey_ceremony", "mfa_policy")
    for table in tables:
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            tenant_transaction(acme.scope),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"SELECT 1 FROM public.iam_{table}")


def test_operators_reset_a_persons_factors(acme: TenantView, platform: Client, anonymous_api: APIClient) -> None:
    who = enrolled(acme)
    signed_in = {"email": who.email, "password": PASSWORD}
    access = anonymous_api.post("/api/v1/auth/signin", signed_in | {"otp": who.code()}).json()["access"]
    platform.post("/admin/login/", {"username": operator(), "password": PASSWORD})
    path = f"/admin/iam/user/{who.id}/confirm/reset-mfa/"

    assert platform.get(path).status_code == 200
    assert anonymous_api.post("/api/v1/auth/signin", signed_in).json()["code"] == "mfa_required"
    platform.post(path)

    assert anonymous_api.post("/api/v1/auth/signin", signed_in).status_code == 200
    anonymous_api.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    assert anonymous_api.get("/api/v1/me").status_code == 401

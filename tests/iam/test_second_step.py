"""Who has a second factor shows it after the right password, by API and by pages; wrong ones lock."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.clock import utcnow
from apps.iam import factors, services, totp
from apps.iam.attempt_models import AttemptOutcome, SignInAttempt
from apps.iam.mailed import token_of
from apps.iam.models import TokenFamily, User
from apps.notifications.models import EmailDelivery
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator, person
from tests.fixtures.tenants import actor_of
from tests.iam.handover import credentials, land
from tests.iam.second_factors import Enrolled, enrol, enrolled


def _sign_in(client: APIClient, who: Enrolled, **body: Any) -> Any:
    return client.post("/api/v1/auth/signin", {"email": who.email, "password": PASSWORD, **body})


def test_a_right_password_is_asked_for_more(anonymous_api: APIClient, acme: TenantView) -> None:
    who = enrolled(acme)

    answer = _sign_in(anonymous_api, who)

    assert (answer.status_code, answer.json()["code"]) == (401, "mfa_required")
    assert answer.json()["methods"] == ["otp", "recovery_code"]
    assert not TokenFamily.objects.filter(user_id=who.id).exists()


def test_a_wrong_password_is_not(anonymous_api: APIClient, acme: TenantView) -> None:
    answer = _sign_in(anonymous_api, enrolled(acme), password="Wrong-pass-1", otp="123456")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_with_a_code_a_program_is_signed_in(anonymous_api: APIClient, acme: TenantView, kind: str) -> None:
    who = enrolled(acme)

    answer = _sign_in(anonymous_api, who, otp=who.code() if kind == "app" else who.recovery_codes[0])

    assert answer.status_code == 200
    family = TokenFamily.objects.get(user_id=who.id)
    assert (family.methods, family.strong_at) == (["pwd", "otp", "mfa"], family.started_at)


def test_the_same_code_signs_in_once(anonymous_api: APIClient, acme: TenantView) -> None:
    who = enrolled(acme)
    code = who.code()

    assert _sign_in(anonymous_api, who, otp=code).status_code == 200
    again = _sign_in(anonymous_api, who, otp=code)
    assert (again.status_code, again.json()["code"]) == (401, "wrong_code")


def test_wrong_codes_lock_though_the_password_is_right_each_time(anonymous_api: APIClient, acme: TenantView) -> None:
    who = enrolled(acme)

    codes = [_sign_in(anonymous_api, who, otp="000000").json()["code"] for _ in range(5)]

    assert codes == ["wrong_code"] * 5
    assert _sign_in(anonymous_api, who, otp=who.code()).json()["code"] == "account_locked"
    outcomes = set(SignInAttempt.objects.filter(email=who.email).values_list("outcome", flat=True))
    assert outcomes == {AttemptOutcome.HALF, AttemptOutcome.WRONG_CODE, AttemptOutcome.LOCKED}


def test_a_right_code_forgets_the_wrong_ones(anonymous_api: APIClient, acme: TenantView) -> None:
    who = enrolled(acme)
    for _ in range(4):
        _sign_in(anonymous_api, who, otp="000000")

    assert _sign_in(anonymous_api, who, otp=who.code()).status_code == 200
    assert [_sign_in(anonymous_api, who, otp="000000").json()["code"] for _ in range(4)] == ["wrong_code"] * 4


def test_a_used_recovery_code_is_told_by_mail_and_secrets_are_nowhere(
    anonymous_api: APIClient, acme: TenantView
) -> None:
    who = enrolled(acme)
    _sign_in(anonymous_api, who, otp=who.recovery_codes[0])

    assert AuditEntry.objects.filter(action="iam.mfa.use_recovery_code", entity_label=who.email).exists()
    letters = EmailDelivery.objects.filter(to=who.email)
    assert {"mfa_changed"} == set(letters.values_list("template", flat=True))
    written = f"{list(AuditEntry.objects.values())}{list(letters.values())}"
    assert not any(secret in written for secret in [who.seed, *who.recovery_codes])


def test_pages_ask_on_the_tenants_host(acme: TenantView) -> None:
    who, client = enrolled(acme), Client(SERVER_NAME=acme.host)

    step = client.post("/sign-in/", credentials(who.email, next="/clients/"))

    assert step["Location"].startswith("/sign-in/second-step/?next=%2Fclients%2F")
    assert client.get("/clients/")["Location"].startswith("/sign-in/")
    assert client.post(step["Location"], {"code": "000000", "next": "/clients/"}).status_code == 400
    assert client.post(step["Location"], {"code": who.code(), "next": "/clients/"})["Location"] == "/clients/"
    assert client.get("/clients/").status_code == 200


def test_pages_ask_on_the_platforms_host_after_the_workspace(
    acme: TenantView, globex: TenantView, platform: Client
) -> None:
    who = enrolled(acme)
    person(globex, email=who.email)

    picker = platform.post("/sign-in/", credentials(who.email))
    assert picker["Location"].startswith("/sign-in/workspace/")
    step = platform.post("/sign-in/workspace/", {"workspace": acme.key, "next": "/clients/"})
    assert step["Location"].startswith("/sign-in/second-step/")
    assert acme.key in step["Location"]
    begun = platform.post(step["Location"], {"code": who.code(), "next": "/clients/", "workspace": acme.key})
    client = Client(SERVER_NAME=acme.host)
    assert land(begun["Location"], platform, client)["Location"] == "/clients/"
    assert TokenFamily.objects.get(user_id=who.id).methods == ["pwd", "otp", "mfa"]


def test_a_handover_cannot_be_had_before_the_second_step(acme: TenantView, platform: Client) -> None:
    who = enrolled(acme)
    platform.post("/sign-in/", credentials(who.email))

    answer = platform.get(f"/sign-in/handoff/issue/?tenant={acme.key}&browser=x")

    assert answer["Location"].startswith("/sign-in/second-step/")


def test_the_second_step_needs_the_first(acme: TenantView, platform: Client) -> None:
    for client in (platform, Client(SERVER_NAME=acme.host)):
        assert client.get("/sign-in/second-step/")["Location"].startswith("/sign-in/?next=")


def test_operators_are_asked_by_api_and_admin(acme: TenantView, anonymous_api: APIClient, platform: Client) -> None:
    email = operator()
    user_id, _ = person(acme, email=email)
    who = enrol(acme, user_id, email)

    assert _sign_in(anonymous_api, who, tenant=None).json()["code"] == "mfa_required"
    form = {"username": email, "password": PASSWORD}
    assert platform.post("/admin/login/", form)["Location"] == "/admin/second-step/"
    assert platform.get("/admin/")["Location"].startswith("/admin/login/")
    assert platform.post("/admin/second-step/", {"code": "000000"}).status_code == 400
    assert platform.post("/admin/second-step/", {"code": who.code()})["Location"] == "/admin/"
    assert platform.get("/admin/").status_code == 200


def test_signing_out_everywhere_ends_an_operators_half_sign_in_too(acme: TenantView, platform: Client) -> None:
    email = operator()
    user_id, _ = person(acme, email=email)
    who = enrol(acme, user_id, email)
    platform.post("/admin/login/", {"username": email, "password": PASSWORD})

    User.objects.filter(pk=user_id).update(tokens_valid_after=utcnow())

    assert platform.post("/admin/second-step/", {"code": who.code()}).status_code == 401
    assert platform.get("/admin/second-step/")["Location"] == "/sign-in/"
    assert platform.get("/admin/")["Location"].startswith("/admin/login/")


def test_an_installation_may_demand_it_of_every_operator(acme: TenantView, platform: Client, settings: Any) -> None:
    settings.OPERATORS_MUST_USE_MFA = True
    form = {"username": operator(), "password": PASSWORD}

    assert platform.post("/admin/login/", form)["Location"] == "/admin/second-factor/"
    page = platform.get("/admin/second-factor/")
    seed = page.context["seed"]
    made = platform.post("/admin/second-factor/", {"code": totp.code_at(seed, totp.step_at(utcnow()))})
    assert len(made.context["codes"]) == 10
    assert platform.get("/admin/second-step/")["Location"] == "/admin/"
    assert platform.get("/admin/").status_code == 200


@pytest.mark.parametrize("change", ["password_changed_at", "tokens_valid_after", "must_change_password"])
def test_a_password_that_is_over_sets_nothing_up(
    acme: TenantView, platform: Client, settings: Any, change: str
) -> None:
    settings.OPERATORS_MUST_USE_MFA = True
    email = operator()
    platform.post("/admin/login/", {"username": email, "password": PASSWORD})
    seed = platform.get("/admin/second-factor/").context["seed"]

    User.objects.filter(email=email).update(**{change: True if change == "must_change_password" else utcnow()})

    platform.post("/admin/second-factor/", {"code": totp.code_at(seed, totp.step_at(utcnow()))})
    assert not factors.has_any(User.objects.get(email=email).pk)
    assert platform.get("/admin/second-factor/").status_code != 200


def test_an_invitation_is_no_way_around(
    anonymous_api: APIClient,
    acme: TenantView,
    globex: TenantView,
) -> None:
    who = enrolled(acme)
    row = services.invite(actor=actor_of(globex), email=who.email, role="MEMBER")
    path = f"/api/v1/invitations/by-token/{token_of('invitation', row.id, row.generation)}/accept"

    assert anonymous_api.post(path, {"password": PASSWORD}).json()["code"] == "mfa_required"
    assert anonymous_api.post(path, {"password": PASSWORD, "otp": who.code()}).status_code == 200

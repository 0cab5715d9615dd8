"""Signing up: by API and by page, once and many times at once."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.iam.models import Membership, User
from apps.tenancy.models import Tenant, TenantStatus
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD
from tests.fixtures.tenants import NewTenant
from tests.iam.handover import land
from tests.iam.threads import at_once

Tasks = Callable[[], AbstractContextManager[None]]
BODY = {
    "email": "ada@initech.test",
    "password": PASSWORD,
    "first_name": "Ada",
    "last_name": "Byron",
    "tenant_name": "Initech",
}


def _sign_up(client: APIClient, **changes: Any) -> Any:
    return client.post("/api/v1/auth/signup", {**BODY, **changes})


def test_one_call_makes_person_tenant_and_ownership(anonymous_api: APIClient, acme: TenantView) -> None:
    answer = _sign_up(anonymous_api, email="Ada@Initech.test")

    body, tenant = answer.json(), Tenant.objects.get(name="Initech")
    assert answer.status_code == 201
    assert body == {
        "user": {"id": str(User.objects.get(email="ada@initech.test").id), "email": "ada@initech.test"},
        "tenant": {"key": tenant.key, "slug": "initech", "name": "Initech", "status": "PROVISIONING"},
    }
    assert answer["Location"] == f"/api/v1/auth/signup/{tenant.key}"
    assert Membership.objects.get(tenant=tenant).role == "OWNER"
    assert set(AuditEntry.objects.filter(tenant_id=tenant.id).values_list("action", flat=True)) == {
        "tenancy.tenant.create",
        "iam.user.sign_up",
        "iam.membership.create",
    }


def test_the_status_follows_the_provisioning_and_tells_nothing_else(
    anonymous_api: APIClient, acme: TenantView, run_tasks: Tasks
) -> None:
    with run_tasks():
        key = _sign_up(anonymous_api).json()["tenant"]["key"]
        before = anonymous_api.get(f"/api/v1/auth/signup/{key}").json()
    after = anonymous_api.get(f"/api/v1/auth/signup/{key}").json()

    assert before == {"status": "PROVISIONING", "step": "QUEUED", "progress": 10}
    assert after == {"status": "ACTIVE", "step": "READY", "progress": 100}
    signed_in = anonymous_api.post("/api/v1/auth/signin", {"email": BODY["email"], "password": PASSWORD})
    assert signed_in.json()["tenant"]["key"] == key


def test_an_unknown_sign_up_is_not_found(anonymous_api: APIClient, acme: TenantView) -> None:
    answer = anonymous_api.get("/api/v1/auth/signup/zzzzzzzz")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_known_person_adds_a_workspace_with_his_password(anonymous_api: APIClient, acme: TenantView) -> None:
    answer = _sign_up(anonymous_api, email="owner@acme.test", first_name="Somebody")

    user = User.objects.get(email="owner@acme.test")
    assert answer.status_code == 201
    assert Membership.objects.filter(user=user, role="OWNER").count() == 2
    assert user.first_name != "Somebody"


def test_a_known_person_with_a_wrong_password_changes_nothing(anonymous_api: APIClient, acme: TenantView) -> None:
    hashed = User.objects.get(email="owner@acme.test").password

    answer = _sign_up(anonymous_api, email="owner@acme.test", password="Wrong-pass-1")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert User.objects.get(email="owner@acme.test").password == hashed
    assert not Tenant.objects.filter(name="Initech").exists()


@pytest.mark.parametrize("name", ["Acme", "  Acme  "])
def test_a_taken_name_conflicts_and_leaves_no_account_behind(
    anonymous_api: APIClient, acme: TenantView, name: str
) -> None:
    answer = _sign_up(anonymous_api, tenant_name=name)

    assert (answer.status_code, answer.json()["code"]) == (409, "tenant_name_taken")
    assert not User.objects.filter(email=BODY["email"]).exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "x"}, "email"),
        ({"email": ""}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "all-lower-1"}, "password"),
        ({"password": "A1a" + "x" * 126}, "password"),
        ({"first_name": ""}, "first_name"),
        ({"last_name": "x" * 101}, "last_name"),
        ({"tenant_name": "   "}, "tenant_name"),
        ({"tenant_name": "x" * 101}, "tenant_name"),
        ({"tenant_name": "nul\x00"}, "tenant_name"),
        ({"tenant_name": None}, "tenant_name"),
    ],
)
def test_bad_input_names_the_field(
    anonymous_api: APIClient, acme: TenantView, changes: dict[str, Any], field: str
) -> None:
    answer = _sign_up(anonymous_api, **changes)

    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {field}
    assert not Tenant.objects.filter(name="Initech").exists()


def test_the_password_is_neither_answered_nor_audited(anonymous_api: APIClient, acme: TenantView) -> None:
    answer = _sign_up(anonymous_api)

    assert PASSWORD not in answer.content.decode()
    for entry in AuditEntry.objects.order_by("-pk")[:5]:
        assert PASSWORD not in f"{entry.before}{entry.after}{entry.entity_label}"


def test_of_twenty_sign_ups_with_one_name_one_succeeds(committed: NewTenant) -> None:
    def sign_up(number: int) -> int:
        client = APIClient(SERVER_NAME=settings.PLATFORM_HOST)
        status: int = _sign_up(client, email=f"racer{number}@race.test", tenant_name="The Race").status_code
        return status

    try:
        assert Counter(at_once(20, sign_up)) == {201: 1, 409: 19}
        assert User.objects.filter(email__endswith="@race.test").count() == 1
        assert Membership.objects.filter(tenant__name="The Race").count() == 1
    finally:
        _clear("The Race", "@race.test")


def test_of_ten_sign_ups_with_one_address_all_get_their_workspace_and_one_account(committed: NewTenant) -> None:
    def sign_up(number: int) -> int:
        client = APIClient(SERVER_NAME=settings.PLATFORM_HOST)
        status: int = _sign_up(client, email="one@many.test", tenant_name=f"Many {number}").status_code
        return status

    try:
        assert Counter(at_once(10, sign_up)) == {201: 10}
        assert User.objects.filter(email="one@many.test").count() == 1
        assert Membership.objects.filter(user__email="one@many.test").count() == 10
    finally:
        _clear("Many ", "@many.test")


def _clear(name: str, suffix: str) -> None:
    Tenant.objects.filter(name__startswith=name).delete()
    User.objects.filter(email__endswith=suffix).delete()


# -- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture
def visitor() -> Client:
    """A browser on the platform's host."""
    return Client(SERVER_NAME=settings.PLATFORM_HOST)


def test_the_page_leads_from_the_form_over_the_progress_to_the_dashboard(
    visitor: Client, acme: TenantView, run_tasks: Tasks
) -> None:
    with run_tasks():
        posted = visitor.post("/sign-up/", BODY)
        tenant = Tenant.objects.get(name="Initech")
        waiting = visitor.get(posted["Location"])
        fragment = visitor.get(f"{posted['Location']}progress/", HTTP_HX_REQUEST="true")
    ready = visitor.get(f"{posted['Location']}progress/", HTTP_HX_REQUEST="true")
    target = ready["HX-Redirect"]

    assert posted["Location"] == f"/sign-up/{tenant.key}/"
    assert "every 500ms" in waiting.content.decode()
    assert "HX-Redirect" not in fragment
    assert target.startswith("http://initech.localhost/sign-in/handoff/begin/?")
    at_tenant = Client(SERVER_NAME="initech.localhost")
    landed = land(target, visitor, at_tenant)
    assert (landed.status_code, landed["Location"]) == (302, "/")
    assert at_tenant.get("/").status_code == 200


def test_somebody_else_who_knows_the_key_is_sent_to_sign_in(acme: TenantView) -> None:
    answer = Client(SERVER_NAME=settings.PLATFORM_HOST).get(f"/sign-up/{acme.key}/")

    assert answer["Location"] == "http://acme.localhost/sign-in/"


def test_the_person_who_just_signed_up_is_no_member_elsewhere(
    visitor: Client, acme: TenantView, globex: TenantView
) -> None:
    visitor.post("/sign-up/", BODY)

    assert visitor.get(f"/sign-up/{globex.key}/")["Location"] == "http://globex.localhost/sign-in/"


def test_a_failed_provisioning_says_so_and_stops_asking(visitor: Client, acme: TenantView) -> None:
    place = visitor.post("/sign-up/", BODY)["Location"]
    Tenant.objects.filter(name="Initech").update(status=TenantStatus.PROVISIONING_FAILED)

    fragment = visitor.get(f"{place}progress/").content.decode()

    assert "could not prepare" in fragment
    assert "hx-get" not in fragment


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"tenant_name": "Acme"}, 409, "already taken"),
        ({"password": "short"}, 400, "Use at least 8 characters."),
        ({"email": "owner@acme.test", "password": "Wrong-pass-1"}, 401, "has an account already"),
        ({"first_name": ""}, 400, "This field is required."),
    ],
)
def test_errors_stand_beside_the_field_and_the_input_stays(
    visitor: Client, acme: TenantView, changes: dict[str, str], status: int, text: str
) -> None:
    answer = visitor.post("/sign-up/", {**BODY, "last_name": "Lovelace", **changes})

    page = answer.content.decode()
    assert answer.status_code == status
    assert text in page
    assert 'value="Lovelace"' in page
    assert PASSWORD not in page


def test_an_unknown_key_is_a_page_of_its_own(visitor: Client, acme: TenantView) -> None:
    assert visitor.get("/sign-up/zzzzzzzz/").status_code == 404


def test_sign_up_needs_the_csrf_token(acme: TenantView) -> None:
    strict = Client(SERVER_NAME=settings.PLATFORM_HOST, enforce_csrf_checks=True)

    assert strict.post("/sign-up/", BODY).status_code == 403
    assert not Tenant.objects.filter(name="Initech").exists()


def test_text_is_escaped(visitor: Client, acme: TenantView) -> None:
    answer = visitor.post("/sign-up/", {**BODY, "tenant_name": "<script>alert(1)</script>", "password": "x"})

    assert "<script>alert(1)" not in answer.content.decode()


def test_a_session_planted_before_signing_up_is_worth_nothing(visitor: Client, acme: TenantView) -> None:
    visitor.get("/sign-up/")
    visitor.cookies[settings.SESSION_COOKIE_NAME] = "planted" * 4
    visitor.post("/sign-up/", BODY)

    assert visitor.cookies[settings.SESSION_COOKIE_NAME].value != "planted" * 4

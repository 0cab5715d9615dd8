"""Operators in members' names: reasoned, for minutes, in one browser, seen by the tenant; and temporary passwords."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.iam import api_keys, impersonating, selectors, services
from apps.iam.api_key_models import ApiKey
from apps.iam.errors import PasswordChangeRequired
from apps.iam.factor_models import MfaPolicy
from apps.iam.impersonation_models import Impersonation
from apps.iam.models import Membership, Role, TokenFamily, User
from apps.notifications import sockets
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.factories.iam import PASSWORD, operator
from tests.fixtures.tenants import actor_of
from tests.iam.mailbox import RunTasks, mails_to

ASK = {"reason": "Invoice 7 looks wrong", "minutes": "20"}


def _admin(role: str = "PLATFORM_ADMIN") -> Client:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    client.post("/admin/login/", {"username": operator(role), "password": PASSWORD})
    return client


def _person(tenant: TenantView, role: str = "MEMBER") -> User:
    return User.objects.get(email=f"{role.lower()}@{tenant.slug}.test")


def _ask(admin: Client, within: TenantView, person: User, **values: str) -> Any:
    body = {"tenant": str(within.id), **ASK, **values}
    return admin.post(f"/admin/iam/user/{person.id}/impersonate/", body)


def _path(location: str) -> str:
    return re.sub(r"^https?://[^/]+", "", location)


def _inside(admin: Client, tenant: TenantView, person: User) -> Client:
    browser = Client(SERVER_NAME=tenant.host)
    begun = browser.get(_path(_ask(admin, tenant, person)["Location"]))
    issued = admin.get(_path(begun["Location"]))
    entered = browser.get(_path(issued["Location"]))
    assert (entered.status_code, entered["Location"]) == (302, "/")
    return browser


def test_an_operator_works_as_a_member_and_everybody_sees_it(acme: TenantView, run_tasks: RunTasks) -> None:
    admin, person = _admin(), _person(acme)
    with run_tasks():
        browser = _inside(admin, acme, person)

    page = browser.get("/clients/").content.decode()
    assert "You act in the name of" in page and "operator/stop/" in page
    entry = AuditEntry.objects.get(action="iam.impersonation.start", tenant_id=acme.id)
    assert (entry.after["reason"], entry.actor_id) == (ASK["reason"], person.id)
    assert entry.impersonator_id == Impersonation.objects.get().operator_id
    (letter,) = mails_to("owner@acme.test")
    assert ASK["reason"] in letter.body
    assert (
        browser.post("/clients/new/", {"name": "Made by support", "locale": "en", "currency": "EUR"}).status_code == 302
    )
    made = AuditEntry.objects.filter(tenant_id=acme.id, action__startswith="invoices.client").latest("id")
    assert made.impersonator_id == entry.impersonator_id

    stopped = browser.post("/operator/stop/")
    assert stopped["Location"] == f"{settings.PLATFORM_URL}/admin/iam/user/{person.id}/change/"
    assert browser.get("/clients/").status_code == 302
    assert AuditEntry.objects.filter(action="iam.impersonation.stop", tenant_id=acme.id).exists()


def test_what_is_the_persons_own_and_what_is_dangerous_stays_closed(acme: TenantView) -> None:
    browser = _inside(_admin(), acme, _person(acme, "OWNER"))
    assert browser.get("/").status_code == 200
    assert browser.get("/settings/").status_code == 200
    for path in ("/account/", "/account/security/", "/settings/danger/", "/settings/api-keys/", "/settings/exports/"):
        assert browser.get(path).status_code in (403, 404), path
    member = _person(acme, "VIEWER").memberships.get().id
    for path in (
        "/account/security/",
        "/account/organisations/leave/",
        "/workspaces/switch/",
        f"/team/{member}/transfer/",
        f"/team/{member}/remove/",
        "/team/roles/new/",
    ):
        assert browser.post(path, {"workspace": acme.key}).status_code == 403, path


def test_it_ends_by_the_clock_and_with_the_operator(acme: TenantView) -> None:
    admin, person = _admin(), _person(acme)
    browser = _inside(admin, acme, person)
    row = Impersonation.objects.get()
    assert row.ends_at is not None and row.started_at is not None
    assert row.ends_at - row.started_at == timedelta(minutes=20)
    TokenFamily.objects.filter(pk=row.family_id).update(ends_at=utcnow() - timedelta(seconds=1))
    assert browser.get("/clients/").status_code == 302

    Impersonation.objects.all().delete()
    browser = _inside(admin, acme, person)
    User.objects.filter(pk=row.operator_id).update(platform_role="PLATFORM_SUPPORT")
    assert browser.get("/clients/").status_code == 302


def test_the_trail_says_once_that_it_ran_out_or_was_left(acme: TenantView) -> None:
    admin, person = _admin(), _person(acme)
    left = _inside(admin, acme, person)
    left.post("/sign-out/")
    _inside(admin, acme, person)
    assert impersonating.note_ended() == 1
    ended_at = Impersonation.objects.get(stopped_at=None).ends_at
    assert ended_at is not None
    assert [impersonating.note_ended(now=ended_at) for _ in range(2)] == [1, 0]

    entries = AuditEntry.objects.filter(action="iam.impersonation.end", tenant_id=acme.id).order_by("pk")
    assert [entry.entity_label for entry in entries] == [person.email] * 2
    assert entries[1].after == {"ended_at": ended_at.isoformat()}
    assert not TokenFamily.objects.filter(impersonator_id__isnull=False, revoked_at=None).exists()


@pytest.mark.parametrize("values", [{"reason": " "}, {"minutes": "31"}, {"minutes": "0"}, {"tenant": str(UUID(int=7))}])
def test_without_reason_or_end_it_does_not_begin(acme: TenantView, values: dict[str, str]) -> None:
    answer = _ask(_admin(), acme, _person(acme), **values)
    assert answer.status_code == 200 or "sign-in/handoff" not in answer["Location"]
    assert not Impersonation.objects.exists()


def test_operators_and_support_are_refused(acme: TenantView) -> None:
    person = _person(acme)
    _ask(_admin("PLATFORM_SUPPORT"), acme, person)
    assert not Impersonation.objects.exists()
    User.objects.filter(pk=person.pk).update(platform_role="PLATFORM_SUPPORT")
    _ask(_admin(), acme, person)
    assert not Impersonation.objects.exists()


def test_the_token_is_one_browsers_once_and_for_this_tenant(acme: TenantView, globex: TenantView) -> None:
    admin, browser, other = _admin(), Client(SERVER_NAME=acme.host), Client(SERVER_NAME=acme.host)
    begin = _path(_ask(admin, acme, _person(acme))["Location"])
    asked = _path(browser.get(begin)["Location"])
    assert "sign-in/handoff" not in _admin().get(asked)["Location"]  # another operator
    enter = _path(admin.get(asked)["Location"])

    other.get(begin)
    assert other.get(enter).status_code == 400
    foreign = Client(SERVER_NAME=globex.host)
    foreign.cookies = browser.cookies
    assert foreign.get(enter).status_code == 400
    assert browser.get(enter).status_code == 302
    assert browser.get(enter).status_code == 400
    assert "sign-in/handoff" not in admin.get(asked)["Location"]


def test_who_acts_in_his_own_name_has_nothing_to_stop(acme: TenantView, browser_client: Any) -> None:
    assert browser_client(acme).post("/operator/stop/").status_code == 409


def test_a_temporary_password_is_shown_once_and_must_be_changed(acme: TenantView, anonymous_api: APIClient) -> None:
    admin, person = _admin(), _person(acme)
    body = {"email": person.email, "password": PASSWORD, "tenant": acme.key}
    before = anonymous_api.post("/api/v1/auth/signin", body).json()["access"]
    page = admin.post(f"/admin/iam/user/{person.id}/temporary-password/").content.decode()
    found = re.search(r"<code[^>]*>([\w-]+)</code>", page)
    assert found
    assert found[1] not in admin.get(f"/admin/iam/user/{person.id}/change/").content.decode()
    assert anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {before}").status_code == 401
    assert anonymous_api.post("/api/v1/auth/signin", body).status_code == 401

    pair = anonymous_api.post("/api/v1/auth/signin", {**body, "password": found[1]}).json()
    anonymous_api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    assert problem(anonymous_api.get("/api/v1/clients"), 403)["code"] == "password_change_required"
    browser = Client(SERVER_NAME=acme.host)
    browser.post("/sign-in/", {"email": person.email, "password": found[1]})
    assert browser.get("/clients/")["Location"] == "/account/security/"
    assert browser.get("/account/security/").status_code == 200
    change = {"current_password": found[1], "new_password": "A-new-password-7"}
    assert anonymous_api.post("/api/v1/auth/password/change", change).status_code == 204
    assert anonymous_api.get("/api/v1/clients").status_code == 200
    entry = AuditEntry.objects.get(action="iam.password.set_temporary", entity_id=str(person.id))
    assert found[1] not in f"{entry.before}{entry.after}{entry.entity_label}"


def test_with_a_temporary_password_an_operator_may_revoke_the_keys(acme: TenantView, globex: TenantView) -> None:
    admin, person = _admin(), _person(acme, "OWNER")
    Membership.objects.create(user=person, tenant_id=globex.id, role=Role.OWNER)
    for tenant in (acme, globex):
        actor = selectors.actor_for_member(person.id, tenant.id, Origin())
        assert actor is not None
        api_keys.create_api_key(actor=actor, name="Robot", scopes=("clients:read",))
    path = f"/admin/iam/user/{person.id}/temporary-password/"

    assert "Revoke 2 API keys, too" in admin.get(path).content.decode()
    admin.post(path)
    assert ApiKey.objects.filter(user=person, revoked_at=None).count() == 2
    admin.post(path, {"with_keys": "on"})
    assert not ApiKey.objects.filter(user=person, revoked_at=None).exists()
    assert "with_keys" not in admin.get(path).content.decode()


def test_support_and_operators_neither_give_nor_get_a_temporary_password(acme: TenantView) -> None:
    person = _person(acme)
    _admin("PLATFORM_SUPPORT").post(f"/admin/iam/user/{person.id}/temporary-password/")
    User.objects.filter(pk=person.pk).update(platform_role="PLATFORM_SUPPORT")
    _admin().post(f"/admin/iam/user/{person.id}/temporary-password/")

    person.refresh_from_db()
    assert person.check_password(PASSWORD) and not person.must_change_password


def test_an_operator_who_signs_out_everywhere_is_out_whatever_is_under_way(acme: TenantView) -> None:
    browser = _inside(_admin(), acme, _person(acme))
    row = Impersonation.objects.get()
    assert row.started_at is not None
    User.objects.filter(pk=row.operator_id).update(tokens_valid_after=utcnow())
    # A request that was let in before notes its use afterwards.
    TokenFamily.objects.filter(pk=row.family_id).update(last_seen_at=utcnow() + timedelta(seconds=5))
    assert browser.get("/clients/").status_code == 302


def test_a_temporary_password_opens_no_socket(acme: TenantView) -> None:
    person = _person(acme)
    pair = services.sign_in(email=person.email, password=PASSWORD, tenant=acme.key, origin=Origin())
    handshake = sockets.Handshake(acme.host, None, "", Origin())
    assert handshake.by_token(pair.access)() is not None

    User.objects.filter(pk=person.pk).update(must_change_password=True)
    assert handshake.by_token(pair.access)() is None


def test_who_owes_a_password_and_a_second_factor_changes_the_password_first(acme: TenantView) -> None:
    person = _person(acme)
    MfaPolicy.objects.create(tenant_id=acme.id, required_at=utcnow() - timedelta(days=99), grace_days=0)
    User.objects.filter(pk=person.pk).update(must_change_password=True)
    browser = Client(SERVER_NAME=acme.host)
    browser.post("/sign-in/", {"email": person.email, "password": PASSWORD})
    assert browser.get("/clients/")["Location"] == "/account/security/"
    assert browser.get("/account/security/").status_code == 200

    browser.post("/account/security/", {"current_password": PASSWORD, "new_password": "A-new-password-7"})
    assert "second-factor" in browser.get("/clients/")["Location"]
    assert "second-factor" in browser.get("/account/security/")["Location"]


def test_a_temporary_password_does_not_open_the_admin_to_a_new_operator(acme: TenantView) -> None:
    email = operator()
    User.objects.filter(email=email).update(must_change_password=True)
    admin = Client(SERVER_NAME=settings.PLATFORM_HOST)
    admin.post("/admin/login/", {"username": email, "password": PASSWORD})
    assert admin.get("/admin/")["Location"].startswith("/admin/login/")


def test_a_temporary_password_opens_no_other_workspace(acme: TenantView, globex: TenantView) -> None:
    person = _person(acme)
    User.objects.filter(pk=person.pk).update(must_change_password=True)
    row = services.invite(actor=actor_of(globex), email=person.email)
    token = services.mailed_link(kind="invitation", row_id=row.id).rstrip("/").rpartition("/")[2]

    with pytest.raises(PasswordChangeRequired):
        services.accept_invitation(token=token, password=PASSWORD, origin=Origin())
    with pytest.raises(PasswordChangeRequired):
        services.sign_up(
            email=person.email, password=PASSWORD, first_name="", last_name="", tenant_name="More", origin=Origin()
        )
    assert person.memberships.count() == 1

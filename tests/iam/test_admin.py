"""Operators in the admin: sign-in, looking at people, changing them through the service."""

import pytest
from django.conf import settings
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.iam import selectors, services
from apps.iam.models import User
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator, person


def _admin(email: str) -> Client:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    answer = client.post("/admin/login/", {"username": email, "password": PASSWORD, "next": "/admin/"})
    assert answer.status_code == 302, answer.content
    return client


def _form(user: User, **changes: object) -> dict[str, object]:
    values = {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "locale": user.locale,
        "is_active": "on" if user.is_active else "",
        "platform_role": user.platform_role,
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    return {**values, **changes}


def test_an_operator_signs_in_and_that_is_audited(acme: TenantView) -> None:
    email = operator()
    client = _admin(email)

    assert client.get("/admin/").status_code == 200
    entry = AuditEntry.objects.filter(action="iam.session.start").order_by("-pk")[0]
    assert (entry.actor_kind, entry.actor_name, entry.tenant_id) == ("OPERATOR", email, None)


@pytest.mark.parametrize("email", ["owner@acme.test", "nobody@acme.test"])
def test_others_do_not_get_in(acme: TenantView, email: str) -> None:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    answer = client.post("/admin/login/", {"username": email, "password": PASSWORD})

    assert answer.status_code == 200
    assert client.get("/admin/").status_code == 302


def test_a_wrong_password_of_an_operator_is_audited(acme: TenantView) -> None:
    email = operator()
    Client(SERVER_NAME=settings.PLATFORM_HOST).post("/admin/login/", {"username": email, "password": "Wrong-pass-1"})

    assert AuditEntry.objects.filter(action="iam.session.refuse", entity_label=email).exists()


@pytest.mark.parametrize("role", ["PLATFORM_ADMIN", "PLATFORM_SUPPORT"])
def test_people_are_listed_searched_and_shown_with_their_memberships(acme: TenantView, role: str) -> None:
    user_id, email = person(acme, "ACCOUNTANT", first_name="Zebulon")
    client = _admin(operator(role))

    found = client.get("/admin/iam/user/", {"q": "zebulon"}).content.decode()
    shown = client.get(f"/admin/iam/user/{user_id}/change/").content.decode()

    assert email in found
    assert "owner@acme.test" not in found
    assert acme.name in shown
    assert "argon2" not in shown


def test_an_admin_changes_an_account_through_the_service(acme: TenantView) -> None:
    user_id, _ = person(acme)
    user = User.objects.get(pk=user_id)
    client = _admin(operator())

    answer = client.post(f"/admin/iam/user/{user_id}/change/", _form(user, is_active="", first_name="New"))

    user.refresh_from_db()
    assert answer.status_code == 302
    assert (user.is_active, user.first_name) == (False, "New")
    entry = AuditEntry.objects.filter(action="iam.user.update").order_by("-pk")[0]
    assert (entry.severity, entry.after) == ("HIGH", {"first_name": "New", "is_active": False})


def test_support_changes_nothing(acme: TenantView) -> None:
    user = User.objects.get(email="owner@acme.test")
    client = _admin(operator("PLATFORM_SUPPORT"))

    assert client.post(f"/admin/iam/user/{user.id}/change/", _form(user, is_active="")).status_code == 403
    user.refresh_from_db()
    assert user.is_active


def test_nobody_takes_away_his_own_access(acme: TenantView) -> None:
    email = operator()
    user, client = User.objects.get(email=email), _admin(email)

    client.post(f"/admin/iam/user/{user.id}/change/", _form(user, is_active="", platform_role=""))

    user.refresh_from_db()
    assert (user.is_active, user.platform_role) == (True, "PLATFORM_ADMIN")


def test_people_are_neither_added_nor_deleted(acme: TenantView) -> None:
    user_id, _ = person(acme)
    client = _admin(operator())

    assert client.get("/admin/iam/user/add/").status_code == 403
    assert client.post(f"/admin/iam/user/{user_id}/delete/", {"post": "yes"}).status_code == 403


def test_sign_out_everywhere_ends_the_admins_session(acme: TenantView) -> None:
    email = operator()
    client = _admin(email)

    actor = selectors.operator_of(User.objects.get(email=email), Origin())
    assert actor is not None
    services.sign_out_all(actor=actor)

    assert client.get("/admin/").status_code == 302


def test_a_demoted_operator_is_out_at_once(acme: TenantView) -> None:
    email = operator()
    client = _admin(email)

    User.objects.filter(email=email).update(platform_role="")

    assert client.get("/admin/").status_code == 302

"""Inviting and joining: 72 hours, no escalation, one pending invitation, and never more members than seats."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.errors import DomainError, PermissionRefused, PlanLimitReached
from apps.iam import services
from apps.iam.models import Invitation, Membership, MembershipStatus, User
from apps.notifications.models import EmailDelivery
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.factories.iam import PASSWORD, operator, person
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import NewTenant, actor_of
from tests.iam.mailbox import RunTasks, mails_to, token_in
from tests.iam.threads import at_once

PATH = "/api/v1/invitations"
NAMES = {"first_name": "Gina", "last_name": "Guest"}


def _invite(tenant: TenantView, email: str = "guest@new.test", role: str = "MEMBER", **more: Any) -> str:
    """The token of a fresh invitation."""
    row = services.invite(actor=actor_of(tenant), email=email, role=role, **more)
    return _token(row)


def _token(row: Invitation) -> str:
    return services.mailed_link(kind="invitation", row_id=row.id).rstrip("/").rpartition("/")[2]


def _accept(client: APIClient, token: str, **body: str) -> Any:
    return client.post(f"{PATH}/by-token/{token}/accept", {"password": PASSWORD, **body})


def test_a_new_person_joins_by_api(
    acme: TenantView, api: ApiFor, anonymous_api: APIClient, run_tasks: RunTasks
) -> None:
    with run_tasks():
        made = api(acme).post(PATH, {"email": "Guest@New.test"})
    assert made.status_code == 201
    assert (made.json()["email"], made.json()["role"], made.json()["status"]) == ("guest@new.test", "MEMBER", "PENDING")
    token = token_in(mails_to("guest@new.test")[0])

    preview = anonymous_api.get(f"{PATH}/by-token/{token}").json()
    assert (preview["tenant"]["key"], preview["needs_sign_up"]) == (acme.key, True)
    assert problem(_accept(anonymous_api, token), 400)["errors"][0]["field"] == "first_name"
    answer = _accept(anonymous_api, token, **NAMES)

    assert answer.status_code == 200
    me = anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}").json()
    assert (me["roles"], me["email_verified"], me["tenant"]["key"]) == (["MEMBER"], True, acme.key)


def test_who_has_an_account_joins_with_its_password(
    acme: TenantView, globex: TenantView, anonymous_api: APIClient
) -> None:
    _, email = person(globex)
    token = _invite(acme, email, "VIEWER")

    assert anonymous_api.get(f"{PATH}/by-token/{token}").json()["needs_sign_up"] is False
    wrong = anonymous_api.post(f"{PATH}/by-token/{token}/accept", {"password": "Wrong-pass-1"})
    assert problem(wrong, 401)["code"] == "invalid_credentials"
    assert _accept(anonymous_api, token).json()["tenant"]["key"] == acme.key


def test_by_page(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host)
    path = f"/invitations/{_invite(acme)}/"

    page = client.get(path)
    assert "Sign up and join" in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    assert client.post(path, {"password": "short", **NAMES}).status_code == 400
    assert client.post(path, {"password": PASSWORD, **NAMES})["Location"] == "/"
    assert client.get("/").status_code == 200
    assert Client(SERVER_NAME=acme.host).get(path).status_code == 404


def test_a_member_who_opens_the_link_of_another_sees_it_too(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)

    assert client.get(f"/invitations/{_invite(acme)}/").status_code == 200
    assert client.get("/invitations/unknown-token/").status_code == 404


def test_the_page_of_another_workspace_knows_nothing_of_it(acme: TenantView, globex: TenantView) -> None:
    path = f"/invitations/{_invite(acme)}/"

    assert Client(SERVER_NAME=globex.host).get(path).status_code == 404
    assert Client(SERVER_NAME=globex.host).post(path, {"password": PASSWORD, **NAMES}).status_code == 404


def test_who_is_signed_in_elsewhere_joins_without_a_link(acme: TenantView, globex: TenantView) -> None:
    _, email = person(globex)
    _invite(acme, email)
    member = User.objects.get(email=email)
    (waiting,) = services.invitations_to(user_id=member.id)
    other = actor_of(globex, "VIEWER")

    with pytest.raises(DomainError):
        services.accept_own_invitation(actor=other, invitation_id=waiting.id)
    actor = actor_of(globex, "MEMBER")
    actor = type(actor)(actor.kind, tenant_id=globex.id, user_id=member.id, email=email, origin=Origin())
    services.accept_own_invitation(actor=actor, invitation_id=waiting.id)

    assert Membership.objects.filter(user=member, tenant_id=acme.id, status="ACTIVE").exists()
    assert services.invitations_to(user_id=member.id) == []


def test_an_unconfirmed_address_sees_no_invitations(acme: TenantView, globex: TenantView) -> None:
    user_id, email = person(globex)
    _invite(acme, email)
    User.objects.filter(pk=user_id).update(email_verified_at=None)

    assert services.invitations_to(user_id=user_id) == []


def test_everything_void_is_unknown(acme: TenantView, anonymous_api: APIClient) -> None:
    used, revoked = _invite(acme, "a@new.test"), _invite(acme, "b@new.test")
    expired = _invite(acme, "c@new.test", now=utcnow() - timedelta(hours=72, seconds=1))
    assert _accept(anonymous_api, used, **NAMES).status_code == 200
    row = Invitation.objects.get(email="b@new.test")
    services.revoke_invitation(actor=actor_of(acme), invitation_id=row.id)

    found = []
    for token in (used, revoked, expired, "unknown"):
        for answer in (anonymous_api.get(f"{PATH}/by-token/{token}"), _accept(anonymous_api, token, **NAMES)):
            found.append({**problem(answer, 404), "correlation_id": "", "instance": ""})
    assert all(body == found[0] for body in found)


def test_it_lives_for_72_hours(acme: TenantView, anonymous_api: APIClient) -> None:
    token = _invite(acme, now=utcnow() - timedelta(hours=71, minutes=59))

    assert anonymous_api.get(f"{PATH}/by-token/{token}").status_code == 200


def test_conflicts(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    client = api(acme)
    assert problem(client.post(PATH, {"email": "VIEWER@acme.test"}), 409)["code"] == "already_member"
    assert client.post(PATH, {"email": "guest@new.test"}).status_code == 201
    assert problem(client.post(PATH, {"email": "GUEST@new.test"}), 409)["code"] == "already_invited"
    assert api(globex).post(PATH, {"email": "guest@new.test"}).status_code == 201


def test_an_expired_invitation_makes_room_for_another(acme: TenantView) -> None:
    _invite(acme, now=utcnow() - timedelta(hours=73))

    assert _invite(acme)


def test_who_was_removed_may_be_invited_again(acme: TenantView, anonymous_api: APIClient) -> None:
    user_id, email = person(acme)
    row = Membership.objects.get(user_id=user_id)
    services.remove_member(actor=actor_of(acme), membership_id=row.id)

    assert _accept(anonymous_api, _invite(acme, email, "VIEWER")).status_code == 200
    row.refresh_from_db()
    assert (row.status, row.role) == (MembershipStatus.ACTIVE, "VIEWER")


@pytest.mark.parametrize(
    ("role", "wanted", "status"),
    [
        ("OWNER", "OWNER", 403),
        ("OWNER", "ADMIN", 201),
        ("OWNER", "ACCOUNTANT", 201),
        ("ADMIN", "OWNER", 403),
        ("ADMIN", "ADMIN", 403),
        ("ADMIN", "ACCOUNTANT", 403),  # ledger:close, which admins lack
        ("ADMIN", "MEMBER", 201),
        ("MEMBER", "VIEWER", 403),
    ],
)
def test_nobody_grants_what_he_lacks(acme: TenantView, api: ApiFor, role: str, wanted: str, status: int) -> None:
    assert api(acme, role).post(PATH, {"email": "guest@new.test", "role": wanted}).status_code == status


def test_ownership_is_not_granted_by_the_service_either(acme: TenantView) -> None:
    with pytest.raises(PermissionRefused):
        _invite(acme, role="OWNER")


def test_sending_again_voids_the_earlier_link(acme: TenantView, api: ApiFor, run_tasks: RunTasks) -> None:
    client = api(acme)
    with run_tasks():
        made = client.post(PATH, {"email": "guest@new.test"}).json()
    with run_tasks():
        assert client.post(f"{PATH}/{made['id']}/resend").status_code == 200
    first, second = (token_in(message) for message in mails_to("guest@new.test"))

    assert client.get(f"{PATH}/by-token/{first}").status_code == 404
    assert client.get(f"{PATH}/by-token/{second}").status_code == 200
    assert [row["email"] for row in client.get(PATH).json()["data"]] == ["guest@new.test"]
    assert client.delete(f"{PATH}/{made['id']}").status_code == 204
    assert client.delete(f"{PATH}/{made['id']}").status_code == 404
    assert client.post(f"{PATH}/{made['id']}/resend").status_code == 404
    assert client.get(PATH).json()["data"] == []
    assert client.get(f"{PATH}?status=all").json()["data"][0]["status"] == "REVOKED"


def test_another_tenants_invitations_do_not_exist(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    _invite(acme)
    row = Invitation.objects.get(email="guest@new.test")

    assert api(globex).delete(f"{PATH}/{row.id}").status_code == 404
    assert api(globex).get(PATH).json()["data"] == []


@override_settings(ROLLOUT_MODE="SINGLE_TENANT")
def test_with_one_workspace_for_all_nobody_is_invited(acme: TenantView, anonymous_api: APIClient) -> None:
    with pytest.raises(DomainError) as refusal:
        _invite(acme)
    assert (refusal.value.status, refusal.value.code) == (403, "single_tenant")
    assert problem(anonymous_api.get(f"{PATH}/by-token/x"), 403)["code"] == "single_tenant"


def test_no_seat_left(acme: TenantView, anonymous_api: APIClient) -> None:
    with override_settings(SEATS_PER_WORKSPACE=5):
        answer = _accept(anonymous_api, token := _invite(acme), **NAMES)
        assert problem(answer, 402)["seats"] == 5
        assert not User.objects.filter(email="guest@new.test").exists()
        page = Client(SERVER_NAME=acme.host).post(f"/invitations/{token}/", {"password": PASSWORD, **NAMES})
        assert (page.status_code, "All 5 seats" in page.content.decode()) == (402, True)
    assert _accept(anonymous_api, token, **NAMES).status_code == 200


def test_the_token_is_nowhere_but_in_the_mail(acme: TenantView, run_tasks: RunTasks, capfd: Any, caplog: Any) -> None:
    with run_tasks():
        token = _invite(acme)
        services.accept_invitation(token=token, password=PASSWORD, origin=Origin(), **NAMES)

    assert token in str(mails_to("guest@new.test")[0].body)
    said = capfd.readouterr()
    stored = [str(list(model.objects.values())) for model in (Invitation, AuditEntry, EmailDelivery)]
    assert not [place for place in (*stored, said.out, said.err, caplog.text) if token in place or PASSWORD in place]
    actions = set(AuditEntry.objects.filter(tenant_id=acme.id).values_list("action", flat=True))
    assert {"iam.invitation.create", "iam.invitation.accept", "iam.membership.create"} <= actions


def test_operators_see_invitations(acme: TenantView) -> None:
    _invite(acme)
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    client.post("/admin/login/", {"username": operator("PLATFORM_SUPPORT"), "password": PASSWORD})

    assert "guest@new.test" in client.get("/admin/iam/invitation/").content.decode()


def test_of_ten_accepts_for_the_last_three_seats_three_win(committed: NewTenant) -> None:
    tenant = committed("Seathouse")
    tokens = [_invite(tenant, f"guest{number}@{tenant.slug}.test") for number in range(10)]

    def accept(number: int) -> str:
        try:
            services.accept_invitation(token=tokens[number], password=PASSWORD, origin=Origin(), **NAMES)
        except PlanLimitReached:
            return "full"
        return "in"

    with override_settings(SEATS_PER_WORKSPACE=8):
        answers = at_once(10, accept)

    assert (answers.count("in"), answers.count("full")) == (3, 7)
    assert Membership.objects.filter(tenant_id=tenant.id).count() == 8


def test_of_eight_accepts_of_one_invitation_one_wins(committed: NewTenant) -> None:
    tenant = committed("Oncehouse")
    token = _invite(tenant, f"guest@{tenant.slug}.test")

    def accept(_: int) -> str:
        try:
            services.accept_invitation(token=token, password=PASSWORD, origin=Origin(), **NAMES)
        except DomainError as error:
            return error.code
        return "in"

    answers = at_once(8, accept)
    assert answers.count("in") == 1
    assert set(answers) <= {"in", "not_found", "conflict"}


def test_of_eight_invitations_to_one_address_one_stands(committed: NewTenant) -> None:
    tenant = committed("Guesthouse")

    def attempt(_: int) -> str:
        try:
            _invite(tenant, f"guest@{tenant.slug}.test")
        except DomainError as error:
            return error.code
        return "sent"

    answers = at_once(8, attempt)
    assert (answers.count("sent"), answers.count("already_invited")) == (1, 7)

"""API keys: what they may, when they die, and that nothing of them is kept but keyed digests."""

import io
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.errors import PermissionRefused
from apps.edge.models import IdempotencyKey
from apps.iam import api_keys, key_secrets, selectors, services
from apps.iam.api_key_models import ApiKey
from apps.iam.errors import InvalidToken
from apps.iam.models import Membership, TokenFamily, User
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import PASSWORD, actor_of
from tests.iam.keys import made, program
from tests.iam.threads import at_once


def test_a_key_is_made_shown_once_and_used(acme: TenantView, api: ApiFor) -> None:
    owner = api(acme)
    answer = owner.post("/api/v1/api-keys", {"name": " Export ", "scopes": ["clients:read", "invoices:read"]})
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    secret = body["secret"]
    assert secret.startswith("ins_") and len(secret) == 53
    assert body["name"] == "Export" and body["status"] == "ACTIVE" and body["signing_secret"] is None

    robot = program(secret)
    assert robot.get("/api/v1/invoices").status_code == 200
    assert robot.get("/api/v1/me").json()["permissions"] == ["clients:read", "invoices:read"]
    told = robot.post("/api/v1/auth/validate").json()
    assert told["api_key"] == {"id": body["id"], "name": "Export"} and told["expires_at"] is None
    assert problem(robot.post("/api/v1/clients", {"name": "x"}), 403)["code"] == "permission_refused"

    listed = owner.get("/api/v1/api-keys").json()["data"]
    assert [row["id"] for row in listed] == [body["id"]]
    assert secret not in str(listed) and listed[0]["last_used_at"] is not None
    row = ApiKey.objects.get()
    assert secret not in str(row.__dict__)
    assert row.digest == key_secrets.newest_digest(secret)[1] != ""


def test_what_is_no_key_is_refused_without_asking_the_database(acme: TenantView) -> None:
    secret = key_secrets.new_secret()
    wrong = [
        secret[:-1],
        secret + "0",
        secret[:10] + ("a" if secret[10] != "a" else "b") + secret[11:],
        "ins_",
        "ins_ä",
    ]
    for text in wrong:
        with CaptureQueriesContext(connection) as asked:
            assert problem(program(text.encode().decode("latin-1")).get("/api/v1/me"), 401)["code"] == "invalid_token"
        assert not [query for query in asked if "iam_api_key" in query["sql"]]
    with CaptureQueriesContext(connection) as asked:
        problem(program(secret).get("/api/v1/me"), 401)
    assert len([query for query in asked if "iam_api_key" in query["sql"]]) == 1


def test_identity_is_one_statement_and_no_write(acme: TenantView) -> None:
    robot = program(made(acme, "invoices:read").secret)
    robot.get("/api/v1/me")
    with CaptureQueriesContext(connection) as asked:
        assert robot.get("/api/v1/me").status_code == 200
    ours = [query["sql"] for query in asked if "iam_api_key" in query["sql"]]
    assert len(ours) == 1 and "UPDATE" not in ours[0]


def test_a_key_opens_no_page_and_no_other_tenant(acme: TenantView, globex: TenantView) -> None:
    secret = made(acme).secret
    assert program(secret, SERVER_NAME=acme.host).get("/").status_code == 302
    assert program(secret, SERVER_NAME=acme.host).get("/api/v1/me").status_code == 200
    with pytest.raises(InvalidToken):  # as the socket's first message, or to be exchanged
        selectors.identity_of_token(secret, Origin())
    answer = program(secret, SERVER_NAME=globex.host).get("/api/v1/me")
    assert problem(answer, 403)["code"] == "tenant_mismatch"
    answer = program(secret).get("/api/v1/me", headers={"X-Tenant-ID": globex.key})
    assert problem(answer, 403)["code"] == "tenant_mismatch"
    assert program(secret).get("/api/v1/me", headers={"X-Tenant-ID": acme.key}).status_code == 200


def test_a_key_weakens_and_dies_with_its_maker(acme: TenantView) -> None:
    secret = made(acme, "members:read", "settings:write", role="ADMIN").secret
    robot, owner = program(secret), actor_of(acme)
    admin = Membership.objects.get(user__email="admin@acme.test", tenant_id=acme.id)
    assert robot.get("/api/v1/members").status_code == 200

    services.change_roles(actor=owner, membership_id=admin.id, roles=["VIEWER"])
    assert problem(robot.get("/api/v1/members"), 403)
    services.change_roles(actor=owner, membership_id=admin.id, roles=["MEMBER"])
    assert robot.get("/api/v1/members").status_code == 200

    services.ban_member(actor=owner, membership_id=admin.id)
    problem(robot.get("/api/v1/members"), 401)
    services.unban_member(actor=owner, membership_id=admin.id)
    assert robot.get("/api/v1/members").status_code == 200

    User.objects.filter(pk=admin.user_id).update(is_active=False)
    problem(robot.get("/api/v1/members"), 401)
    User.objects.filter(pk=admin.user_id).update(is_active=True)

    services.remove_member(actor=owner, membership_id=admin.id)
    problem(robot.get("/api/v1/members"), 401)
    assert ApiKey.objects.get().revoked_reason == "member_removed"


def test_nobody_puts_into_a_key_what_he_lacks(acme: TenantView, api: ApiFor) -> None:
    admin = api(acme, "ADMIN")
    answer = admin.post("/api/v1/api-keys", {"name": "x", "scopes": ["ledger:close"]})
    assert problem(answer, 403)["code"] == "permission_refused"
    for scopes in (["no:such"], [], ["ownership:transfer"], "invoices:read"):
        problem(admin.post("/api/v1/api-keys", {"name": "x", "scopes": scopes}), 400)
    problem(admin.post("/api/v1/api-keys", {"name": " ", "scopes": ["invoices:read"]}), 400)
    past = {"name": "x", "scopes": ["invoices:read"], "expires_at": "2020-01-01T00:00:00Z"}
    problem(admin.post("/api/v1/api-keys", past), 400)


def test_a_key_makes_only_lesser_keys_which_end_with_it(acme: TenantView) -> None:
    until = utcnow() + timedelta(days=1)
    maker = made(acme, "api_keys:write", "invoices:read", expires_at=until)
    stronger = made(acme, "clients:write")
    robot = program(maker.secret)
    wanted = {"name": "Child", "scopes": ["invoices:read"], "expires_at": until.isoformat()}
    problem(robot.post("/api/v1/api-keys", {**wanted, "scopes": ["clients:read"]}), 403)
    problem(robot.post("/api/v1/api-keys", {**wanted, "expires_at": None}), 403)
    child = robot.post("/api/v1/api-keys", wanted)
    assert child.status_code == 201, child.content
    # Another's secret would be a way to another's rights; and neither may it end what is stronger.
    problem(robot.post(f"/api/v1/api-keys/{stronger.key.id}/rotate"), 403)
    problem(robot.delete(f"/api/v1/api-keys/{stronger.key.id}"), 403)
    # Nor would a lesser one's that it did not make: that would live on when it is revoked.
    sibling = made(acme, "invoices:read", expires_at=until)
    problem(robot.post(f"/api/v1/api-keys/{sibling.key.id}/rotate"), 403)
    assert robot.post(f"/api/v1/api-keys/{child.json()['id']}/rotate").status_code == 200
    child = robot.post("/api/v1/api-keys", wanted)
    assert robot.post(f"/api/v1/api-keys/{maker.key.id}/rotate").status_code == 200

    api_keys.revoke_api_key(actor=actor_of(acme, "ADMIN"), key_id=maker.key.id)
    problem(program(child.json()["secret"]).get("/api/v1/me"), 401)


def test_only_the_maker_rotates_and_everybody_who_may_revokes(acme: TenantView, globex: TenantView) -> None:
    key = made(acme, "invoices:read").key
    with pytest.raises(PermissionRefused):
        api_keys.rotate_api_key(actor=actor_of(acme, "ADMIN"), key_id=key.id)
    robot = program(made(globex).secret)
    for answer in (robot.delete(f"/api/v1/api-keys/{key.id}"), robot.post(f"/api/v1/api-keys/{key.id}/rotate")):
        problem(answer, 404)
    api_keys.revoke_api_key(actor=actor_of(acme, "ADMIN"), key_id=key.id)
    problem(program(made(acme).secret).delete(f"/api/v1/api-keys/{key.id}"), 404)


def test_after_a_rotation_both_secrets_are_good_for_a_while(acme: TenantView, api: ApiFor) -> None:
    first = made(acme, "invoices:read")
    path = f"/api/v1/api-keys/{first.key.id}/rotate"
    second = api(acme).post(path, {"overlap_seconds": 3600}).json()
    assert program(first.secret).get("/api/v1/me").status_code == 200
    assert program(second["secret"]).get("/api/v1/me").status_code == 200
    assert second["previous_secret_until"] is not None
    ApiKey.objects.update(previous_until=utcnow() - timedelta(seconds=1))
    problem(program(first.secret).get("/api/v1/me"), 401)
    third = api(acme).post(path, {"overlap_seconds": 0}).json()
    problem(program(second["secret"]).get("/api/v1/me"), 401)
    assert program(third["secret"]).get("/api/v1/me").status_code == 200
    problem(api(acme).post(path, {"overlap_seconds": 7 * 86400 + 1}), 400)


def test_a_person_proves_himself_before_a_secret_is_shown(acme: TenantView, api: ApiFor) -> None:
    owner, key = api(acme), made(acme, "invoices:read").key
    TokenFamily.objects.filter(tenant_id=acme.id).update(proved_at=utcnow() - timedelta(hours=1))
    for path, body in (("", {"name": "x", "scopes": ["invoices:read"]}), (f"/{key.id}/rotate", {})):
        assert owner.post(f"/api/v1/api-keys{path}", body).json()["code"] == "step_up_required"
    assert owner.delete(f"/api/v1/api-keys/{key.id}").status_code == 204


def test_an_expired_or_revoked_key_is_dead(acme: TenantView, api: ApiFor) -> None:
    key = made(acme, "invoices:read", expires_at=utcnow() + timedelta(hours=1))
    ApiKey.objects.update(expires_at=utcnow() - timedelta(seconds=1))
    problem(program(key.secret).get("/api/v1/me"), 401)
    other = made(acme, "invoices:read")
    owner = api(acme)
    assert owner.delete(f"/api/v1/api-keys/{other.key.id}").status_code == 204
    problem(program(other.secret).get("/api/v1/me"), 401)
    problem(owner.delete(f"/api/v1/api-keys/{other.key.id}"), 404)
    assert len(owner.get("/api/v1/api-keys").json()["data"]) == 1
    assert len(owner.get("/api/v1/api-keys?include_revoked=true").json()["data"]) == 2


def test_keys_live_through_a_change_of_the_pepper(acme: TenantView, settings: Any) -> None:
    secret, (old,) = made(acme, "invoices:read").secret, settings.API_KEY_PEPPERS
    settings.API_KEY_PEPPERS = ["n" * 40, old]
    told = io.StringIO()
    call_command("api_key_digests", stdout=told)
    assert "pepper 2" in told.getvalue() and told.getvalue().splitlines()[1].endswith(": 1 keys")
    assert program(secret).get("/api/v1/me").status_code == 200
    settings.API_KEY_PEPPERS = ["n" * 40]
    assert program(secret).get("/api/v1/me").status_code == 200
    settings.API_KEY_PEPPERS = [old]
    problem(program(secret).get("/api/v1/me"), 401)


def test_what_a_key_does_names_the_key(acme: TenantView) -> None:
    key = made(acme, "clients:write", "clients:read")
    answer = program(key.secret).post("/api/v1/clients", {"name": "Ionian", "currency": "EUR"})
    assert answer.status_code == 201, answer.content
    entry = AuditEntry.objects.filter(action="invoices.client.create").latest("pk")
    assert (entry.api_key_id, entry.api_key_name, entry.actor_name) == (key.key.id, "Robot", "owner@acme.test")
    assert key.secret not in str(list(AuditEntry.objects.values()))


def test_an_idempotency_key_is_the_api_keys_own(acme: TenantView) -> None:
    one, other = (program(made(acme, "clients:read", "clients:write").secret) for _ in range(2))
    body, headers = {"name": "Ionian", "currency": "EUR"}, {"Idempotency-Key": "same"}
    first = one.post("/api/v1/clients", body, headers=headers).json()
    again = one.post("/api/v1/clients", body, headers=headers)
    assert again.json()["id"] == first["id"], again.content
    assert other.post("/api/v1/clients", body, headers=headers).json()["id"] != first["id"]


def test_a_kept_answer_is_not_for_who_lost_the_permission(acme: TenantView, api: ApiFor) -> None:
    caller, body = api(acme, "ADMIN"), {"name": "Once", "scopes": ["invoices:read"]}
    send = partial(caller.post, "/api/v1/api-keys", body, headers={"Idempotency-Key": "kept"})
    TokenFamily.objects.update(proved_at=utcnow() - timedelta(hours=1))
    assert problem(send(), 403)["code"] == "step_up_required"
    # Having confirmed, he sends the very same call again.
    TokenFamily.objects.update(proved_at=utcnow())
    assert "secret" in send().json()
    admin = Membership.objects.get(user__email="admin@acme.test", tenant_id=acme.id)
    services.change_roles(actor=actor_of(acme), membership_id=admin.id, roles=["MEMBER"])
    assert problem(send(), 403)["code"] == "permission_refused"
    services.change_roles(actor=actor_of(acme), membership_id=admin.id, roles=["ADMIN"])
    assert "secret" in send().json() and ApiKey.objects.count() == 1


def test_a_kept_answer_does_not_show_the_secret_in_the_database(acme: TenantView, api: ApiFor) -> None:
    owner, headers = api(acme), {"Idempotency-Key": "make"}
    body = {"name": "x", "scopes": ["invoices:read"]}
    first = owner.post("/api/v1/api-keys", body, headers=headers).json()
    again = owner.post("/api/v1/api-keys", body, headers=headers)
    assert again.json() == first and again["Idempotent-Replayed"] == "true"
    assert first["secret"].encode() not in bytes(IdempotencyKey.objects.latest("pk").body)


def test_the_limit_holds_whoever_races(committed: Any, settings: Any) -> None:
    tenant = committed("Many keys")
    settings.API_KEYS_PER_WORKSPACE = 3

    def make(number: int) -> str:
        try:
            return made(tenant, "invoices:read").secret
        except api_keys.ApiKeyLimit as error:
            return error.code

    results = at_once(8, make)
    assert results.count("api_key_limit") == 5
    assert ApiKey.objects.filter(tenant_id=tenant.id).count() == 3


def test_suspended_tenants_are_read_only_for_keys(acme: TenantView) -> None:
    robot = program(made(acme).secret)
    with connection.cursor() as cursor:
        cursor.execute("update public.tenancy_tenant set status = 'SUSPENDED' where id = %s", [acme.id])
    assert robot.get("/api/v1/invoices").status_code == 200
    assert problem(robot.post("/api/v1/clients", {"name": "x"}), 403)["code"] == "tenant_suspended"


def test_operators_see_every_key_and_revoke_it(acme: TenantView) -> None:
    key = made(acme, "invoices:read")
    operator = services.ensure_operator(email="op@insula.test", password=PASSWORD)
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(User.objects.get(email="op@insula.test"))
    page = browser.get("/admin/iam/apikey/").content.decode()
    assert key.key.hint in page and key.key.digest not in page
    detail = browser.get(f"/admin/iam/apikey/{key.key.id}/change/").content.decode()
    assert "invoices:read" in detail and key.key.digest not in detail
    action = {"action": "revoke_selected", "_selected_action": [str(key.key.id)]}
    assert browser.post("/admin/iam/apikey/", action).status_code == 302
    problem(program(key.secret).get("/api/v1/me"), 401)
    assert operator is not None


def test_the_pages_make_rotate_and_revoke(acme: TenantView, browser_client: BrowserFor) -> None:
    browser = browser_client(acme)
    assert browser.get("/settings/api-keys/").status_code == 200
    page = browser.get("/settings/api-keys/new/").content.decode()
    assert 'value="invoices:read"' in page and 'value="ownership:transfer"' not in page
    form = {"name": "Shop", "lives": "30", "scopes": ["invoices:read"], "algorithm": "hmac-sha256", "public_key": ""}
    shown = browser.post("/settings/api-keys/new/", form)
    assert shown.status_code == 200 and "no-store" in shown["Cache-Control"]
    key = ApiKey.objects.get()
    assert "ins_" in shown.content.decode() and str(key.id) in shown.content.decode()
    assert browser.post("/settings/api-keys/new/", {**form, "scopes": []}).status_code == 400
    listed = browser.get("/settings/api-keys/").content.decode()
    assert "Shop" in listed and key.hint in listed
    assert browser.post(f"/settings/api-keys/{key.id}/rotate/", {"overlap": "1"}).status_code == 200
    assert browser.post(f"/settings/api-keys/{key.id}/rotate/", {"overlap": "x"}).status_code == 302
    assert browser.post(f"/settings/api-keys/{key.id}/revoke/").status_code == 302
    assert ApiKey.objects.get().revoked_at is not None
    assert "Shop" in browser.get("/settings/api-keys/?show=all").content.decode()


def test_a_limit_of_its_own(acme: TenantView, settings: Any) -> None:
    settings.RATE_LIMITS_ENFORCED, settings.RATE_LIMITS = True, {**settings.RATE_LIMITS, "api_key": (2, 60)}
    one, other = (program(made(acme, "invoices:read").secret) for _ in range(2))
    assert [one.get("/api/v1/me").status_code for _ in range(3)] == [200, 200, 429]
    assert '"api_key";r=' in other.get("/api/v1/me")["RateLimit"]

"""What a workspace's directory may do, and what it may not."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AuditEntry
from apps.core.clock import utcnow
from apps.core.errors import NotFound, PermissionRefused
from apps.iam import services as iam
from apps.iam.models import Membership, TokenFamily, User
from apps.iam.scim import groups, tokens
from apps.iam.scim.models import ScimToken
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, person
from tests.fixtures.clients import BrowserFor
from tests.fixtures.tenants import actor_of
from tests.iam import federated
from tests.iam.scim_client import Directory, token


@pytest.fixture
def directory(acme: TenantView) -> Directory:
    """Acme's directory, with its owner's token; Acme's domain is proved."""
    federated.prove_domain(acme)
    return Directory(acme, token(acme))


def member_of(tenant: TenantView, role: str) -> Membership:
    return Membership.objects.get(tenant_id=tenant.id, user__email=f"{role}@{tenant.slug}.test")


def test_a_new_user_is_a_member_with_an_account(acme, directory):
    answer = directory.new_user("Ada@acme.test", name={"givenName": "Ada", "familyName": "B"}, externalId="7")
    assert (answer.status_code, answer["Location"]) == (201, answer.data["meta"]["location"])
    user = User.objects.get(email="ada@acme.test")
    assert (user.name, user.has_usable_password()) == ("Ada B", False)
    assert Membership.objects.get(user=user, tenant_id=acme.id).role == "MEMBER"
    trail = AuditEntry.objects.filter(tenant_id=acme.id, action="iam.membership.create").latest("id")
    assert (trail.actor_kind, trail.actor_name, trail.source) == ("DIRECTORY", "SCIM: Entra", "API")


def test_a_user_exists_once(directory):
    directory.new_user("ada@acme.test", externalId="7")
    for email, external_id in (("ADA@acme.test", "8"), ("bo@acme.test", "7")):
        again = directory.new_user(email, externalId=external_id)
        assert (again.status_code, again.data["scimType"]) == (409, "uniqueness")
    assert not User.objects.filter(email="bo@acme.test").exists()


def test_members_who_were_there_before_are_found_by_their_address(acme, directory):
    found = directory("GET", f"/Users?filter=userName+eq+%22VIEWER%40{acme.slug}.test%22").data
    assert found["totalResults"] == 1
    assert found["Resources"][0]["id"] == str(member_of(acme, "viewer").id)


def test_other_domains_are_refused(directory):
    for email in ("ada@elsewhere.test", "ada@sub.acme.test", "ada", "ada@globex.test"):
        answer = directory.new_user(email)
        assert (answer.status_code, answer.data["scimType"]) == (400, "invalidValue")
        assert not User.objects.filter(email=email).exists()


def test_members_of_other_domains_are_out_of_sight(acme, directory):
    _, email = person(acme, email="guest@elsewhere.test")
    guest = Membership.objects.get(user__email=email)
    assert directory("GET", f"/Users/{guest.id}").status_code == 404
    assert directory("DELETE", f"/Users/{guest.id}").status_code == 404
    assert directory.new_group("G", str(guest.id)).status_code == 400
    assert email not in directory("GET", "/Users").content.decode()


def test_deactivating_ends_sessions_at_once_and_activating_lets_in_again(acme, directory, browser_client: BrowserFor):
    browser, viewer = browser_client(acme, "VIEWER"), member_of(acme, "viewer")
    off = directory.patch(f"/Users/{viewer.id}", {"op": "Replace", "path": "active", "value": "False"})
    assert (off.status_code, off.data["active"]) == (200, False)
    assert browser.get("/clients/").status_code == 302
    assert not TokenFamily.objects.filter(user=viewer.user, tenant_id=acme.id, revoked_at=None).exists()
    on = directory.patch(f"/Users/{viewer.id}", {"op": "replace", "value": {"active": True}})
    assert on.data["active"] is True
    assert browser_client(acme, "VIEWER").get("/clients/").status_code == 200


def test_a_ban_by_people_is_not_the_directorys_to_lift(acme, directory):
    viewer = member_of(acme, "viewer")
    iam.ban_member(actor=actor_of(acme), membership_id=viewer.id)
    answer = directory.patch(f"/Users/{viewer.id}", {"op": "replace", "path": "active", "value": True})
    assert (answer.status_code, answer.data["active"]) == (200, False)
    # Nor by removing him and making him anew.
    assert directory("DELETE", f"/Users/{viewer.id}").status_code == 403
    assert directory.new_user(viewer.user.email).status_code == 409
    viewer.refresh_from_db()
    assert viewer.status == "BANNED"


def test_the_last_owner_stays(acme, directory):
    owner = member_of(acme, "owner")
    assert directory.patch(f"/Users/{owner.id}", {"op": "replace", "path": "active", "value": False}).status_code == 409
    assert directory("DELETE", f"/Users/{owner.id}").status_code == 409


def test_a_token_reaches_nobody_who_may_do_more_than_its_maker(acme, directory):
    lesser = Directory(acme, token(acme, "ADMIN"))
    owner, viewer = member_of(acme, "owner"), member_of(acme, "viewer")
    assert lesser.patch(f"/Users/{owner.id}", {"op": "replace", "path": "active", "value": False}).status_code == 403
    assert lesser.patch(f"/Users/{viewer.id}", {"op": "replace", "path": "active", "value": False}).status_code == 200


def test_deleting_removes_and_the_same_person_may_come_back(acme, directory):
    made = directory.new_user("ada@acme.test", externalId="7").data
    assert directory("DELETE", f"/Users/{made['id']}").status_code == 204
    assert directory("GET", f"/Users/{made['id']}").status_code == 404
    assert directory.new_user("ada@acme.test", externalId="7").status_code == 201


def test_the_name_of_somebody_with_other_workspaces_is_left_alone(acme, globex, directory):
    viewer = member_of(acme, "viewer")
    iam.ensure_member(email=viewer.user.email, password=PASSWORD, tenant_id=globex.id, role="MEMBER")
    answer = directory.patch(f"/Users/{viewer.id}", {"op": "add", "path": "name.givenName", "value": "Changed"})
    viewer.user.refresh_from_db()
    assert (answer.data["name"]["givenName"], viewer.user.first_name) == ("Changed", "")


def test_an_address_does_not_change(acme, directory):
    viewer = member_of(acme, "viewer")
    answer = directory.patch(f"/Users/{viewer.id}", {"op": "replace", "path": "userName", "value": "x@acme.test"})
    assert (answer.status_code, answer.data["scimType"]) == (400, "mutability")


def test_seats_are_respected(directory, settings):
    settings.SEATS_PER_WORKSPACE = 1
    assert directory.new_user("ada@acme.test").status_code == 403
    assert not User.objects.filter(email="ada@acme.test").exists()


# -- groups ---------------------------------------------------------------------------------------------------------


def test_a_group_gives_the_role_that_somebody_here_gave_it(acme, directory):
    viewer, owner = member_of(acme, "viewer"), member_of(acme, "owner")
    made = directory.new_group("Books", str(viewer.id), str(owner.id)).data
    viewer.refresh_from_db()
    assert viewer.role == "VIEWER"
    groups.map_group(actor=actor_of(acme), group_id=made["id"], role="ACCOUNTANT")
    viewer.refresh_from_db(), owner.refresh_from_db()
    assert (viewer.role, owner.role) == ("ACCOUNTANT", "OWNER")
    remove = {"op": "remove", "path": "members", "value": [{"value": str(viewer.id)}]}
    assert directory.patch(f"/Groups/{made['id']}", remove).status_code == 200
    viewer.refresh_from_db()
    assert viewer.role == "MEMBER"


def test_nobody_gives_a_group_what_he_lacks(acme, directory):
    made = directory.new_group("It").data
    for role in ("ADMIN", "OWNER"):
        with pytest.raises(PermissionRefused):
            groups.map_group(actor=actor_of(acme, "ADMIN"), group_id=made["id"], role=role)
    with pytest.raises(PermissionRefused):
        groups.map_group(actor=actor_of(acme, "MEMBER"), group_id=made["id"], role="VIEWER")


def test_changes_take_turns_before_they_look(acme, directory):
    group = directory.new_group("Writers", str(member_of(acme, "viewer").id)).data["id"]
    more = {"op": "add", "path": "members", "value": [{"value": str(member_of(acme, "member").id)}]}
    with CaptureQueriesContext(connection) as asked:
        assert directory.patch(f"/Groups/{group}", more).status_code == 200
    words = [query["sql"] for query in asked.captured_queries]
    turn = next(at for at, sql in enumerate(words) if "FOR NO KEY UPDATE" in sql)
    look = next(at for at, sql in enumerate(words) if "iam_directory_group" in sql)
    assert turn < look


def test_a_group_has_its_name_alone(directory):
    made = directory.new_group("Books").data
    assert directory.new_group("BOOKS").data["scimType"] == "uniqueness"
    assert directory("DELETE", f"/Groups/{made['id']}").status_code == 204


# -- versions, pages, refusals --------------------------------------------------------------------------------------


def test_versions(acme, directory):
    path = f"/Users/{member_of(acme, 'viewer').id}"
    tag = directory("GET", path)["ETag"]
    assert directory("GET", path, **{"If-None-Match": tag}).status_code == 304
    change = {"op": "replace", "path": "title", "value": "Dr"}
    assert directory.patch(path, change, **{"If-Match": tag}).status_code == 200
    assert directory.patch(path, change, **{"If-Match": tag}).status_code == 412
    assert directory("GET", path, **{"If-None-Match": tag}).status_code == 200


def test_pages(directory):
    page = directory("GET", "/Users?count=2&startIndex=2&sortBy=userName&sortOrder=descending").data
    assert (page["totalResults"], page["itemsPerPage"], page["startIndex"]) == (5, 2, 2)
    assert page["Resources"][0]["userName"] > page["Resources"][1]["userName"]
    assert directory("GET", "/Users?count=0").data["totalResults"] == 5


def test_queries_that_cannot_be(directory):
    for query in (
        "filter=userName+eq",
        "filter=nothing+eq+1",
        "filter=((",
        "sortBy=nothing",
        "count=x",
        "startIndex=1e9",
    ):
        assert directory("GET", f"/Users?{query}").status_code == 400


def test_bodies_that_cannot_be(directory):
    bodies = ("", "{", "[]", "null", '"x"', '{"userName": 7}', '{"userName": "a\\u0000@acme.test"}', "[" * 5000)
    for body in bodies:
        answer = directory.client.generic(
            "POST", "/scim/v2/Users", body, content_type="application/scim+json", headers=directory.headers
        )
        assert answer.status_code == 400 and json.loads(answer.content)["status"] == "400", body[:50]


def test_work_is_bounded(directory):
    group = directory.new_group("Writers").data["id"]
    rename = {"op": "replace", "path": "displayName", "value": "Readers"}
    terms = " or ".join(['value eq "1"'] * 1000)
    long_path = {"op": "remove", "path": f"members[{terms}]"}
    for operations in ([rename] * 101, [long_path]):
        answer = directory.patch(f"/Groups/{group}", *operations)
        assert (answer.status_code, answer.data["scimType"]) == (413, "tooMany")
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
    answer = directory("POST", "/Users/.search", {**search, "filter": " or ".join(["active eq true"] * 100)})
    assert (answer.status_code, answer.data["scimType"]) == (400, "invalidFilter")


def test_what_is_not_there(directory):
    for method, path, status in (
        ("GET", "/Nothing", 404),
        ("GET", "/Users/7", 404),
        ("POST", "/Bulk", 501),
        ("DELETE", "/Users", 405),
        ("GET", "/Schemas?filter=id+pr", 403),
    ):
        answer = directory(method, path)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/scim+json")


# -- tokens ---------------------------------------------------------------------------------------------------------


def test_another_workspaces_token_opens_nothing(acme, globex, directory):
    federated.prove_domain(globex)
    theirs = token(globex)
    assert Directory(acme, theirs)("GET", "/Users").status_code == 401
    foreign = member_of(globex, "viewer")
    for method in ("GET", "DELETE"):
        assert directory(method, f"/Users/{foreign.id}").status_code == 404
    assert directory.new_group("G", str(foreign.id)).status_code == 400
    made = Directory(globex, theirs).new_group("Theirs").data
    assert directory("GET", f"/Groups/{made['id']}").status_code == 404
    with pytest.raises(NotFound):
        groups.map_group(actor=actor_of(acme), group_id=made["id"], role="VIEWER")


def test_nothing_else_opens_it(acme, directory, browser_client: BrowserFor, api):
    path = "/scim/v2/Users"
    assert Client(SERVER_NAME=acme.host).get(path)["WWW-Authenticate"].startswith("Bearer")
    assert browser_client(acme).get(path).status_code == 401
    assert Directory(acme, "scim_" + "x" * 43)("GET", "/Users").status_code == 401
    access = api(acme)._credentials["HTTP_AUTHORIZATION"].split()[1]
    assert Directory(acme, access)("GET", "/Users").status_code == 401


def test_a_directory_token_opens_nothing_else(acme, directory):
    for path in ("/clients/", "/api/v1/members", "/api/v1/me"):
        assert directory.client.get(path, headers=directory.headers).status_code in (302, 401)


def test_rotation_leaves_a_day_and_revoking_none(acme, directory):
    secret = token(acme)
    (row,) = [it for it in tokens.list_tokens(actor=actor_of(acme)) if secret.startswith(it.hint)]
    _, fresh = tokens.rotate_token(actor=actor_of(acme), token_id=row.id)
    assert {Directory(acme, it)("GET", "/Users").status_code for it in (secret, fresh)} == {200}
    ScimToken.objects.filter(pk=row.id).update(expires_at=utcnow() - timedelta(seconds=1))
    assert Directory(acme, secret)("GET", "/Users").status_code == 401
    (row,) = [it for it in tokens.list_tokens(actor=actor_of(acme)) if fresh.startswith(it.hint)]
    assert row.last_used_at is not None
    tokens.revoke_token(actor=actor_of(acme), token_id=row.id)
    assert Directory(acme, fresh)("GET", "/Users").status_code == 401


def test_a_secret_is_nowhere(acme):
    secret = token(acme)
    assert secret not in str(list(ScimToken.objects.values()))
    assert secret not in str(list(AuditEntry.objects.filter(tenant_id=acme.id).values()))


def test_a_role_without_the_permission_makes_none(acme):
    for role in ("ACCOUNTANT", "MEMBER", "VIEWER"):
        with pytest.raises(PermissionRefused):
            tokens.create_token(actor=actor_of(acme, role), name="x")

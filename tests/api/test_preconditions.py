"""Entity tags: who has the present answer gets none, who changes what he has not seen is refused, nobody loses work."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from apps.core.errors import ValidationFailed
from apps.core.rest.preconditions import ANY, EntityTag, VersionedView, read_tags
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.api.routes import BY_NAME, CALLS
from tests.api.test_pages import belongings_of
from tests.factories.invoices import make_client, make_open
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import PASSWORD, actor_of, in_tenant
from tests.fixtures.threads import at_once

NewTenant = Callable[[str], TenantView]

# What a change of it looks like, twice, so that each differs from what stands there.
EDITS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "client": ({"phone": "1"}, {"phone": "2"}),
    "invoice": ({"notes": "one"}, {"notes": "two"}),
    "brand": ({"sender_name": "One"}, {"sender_name": "Two"}),
    "tenant": ({"legal_name": "One Ltd"}, {"legal_name": "Two Ltd"}),
    "me": ({"last_name": "One"}, {"last_name": "Two"}),
    "member": ({"roles": ["MEMBER"]}, {"roles": ["ACCOUNTANT"]}),
    "role": ({"permissions": ["payments:read"]}, {"permissions": ["clients:read"]}),
    "directory-group": ({"role": "VIEWER"}, {"role": "MEMBER"}),
    "webhook-endpoint": ({"description": "one"}, {"description": "two"}),
    "series": ({"pattern": "A-{year}-{seq}"}, {"pattern": "B-{year}-{seq}"}),
}
# Nobody edits them: a flag is set, a file is stored under an address of its own, a device of one's own gets a name.
WITHOUT_VERSION = {"notification-list", "notification-detail", "avatar-upload", "my-passkey"}


@pytest.fixture
def paths(acme: TenantView) -> dict[str, str]:
    ids = belongings_of(acme)
    ids["invoice_id"] = ids["draft"]
    return {
        name: BY_NAME[name].path(next((ids[p] for p in BY_NAME[name].parameters if p in ids), None)) for name in EDITS
    }


def test_whatever_is_patched_or_put_has_a_version() -> None:
    changed = {route.name: route for method, route in CALLS if method in ("PATCH", "PUT")}
    bare = {name for name, route in changed.items() if not issubclass(route.view, VersionedView)}
    assert bare == WITHOUT_VERSION


@pytest.mark.parametrize("name", EDITS)
def test_a_change_of_what_was_not_seen_is_refused(
    paths: dict[str, str], acme: TenantView, api: ApiFor, name: str
) -> None:
    program, path = api(acme), paths[name]
    seen = program.get(path)
    tag = seen["ETag"]
    assert tag.startswith('"') and seen["Cache-Control"] == "private, no-cache"
    first, second = EDITS[name]
    changed = program.patch(path, first, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.content
    now = program.get(path)["ETag"]
    assert changed["ETag"] == now != tag
    for stale in (tag, '"x"', f"W/{now}", '""'):
        refused = program.patch(path, second, headers={"If-Match": stale})
        told = problem(refused, 412)
        assert (told["code"], told["etag"], refused["ETag"]) == ("version_conflict", now, now)
    assert program.get(path)["ETag"] == now
    assert program.patch(path, second, headers={"If-Match": f'"other", {now}'}).status_code == 200
    assert program.patch(path, first, headers={"If-Match": "*"}).status_code == 200
    assert program.patch(path, second).status_code == 200


@pytest.mark.parametrize("name", EDITS)
def test_who_has_the_present_answer_gets_no_other(
    paths: dict[str, str], acme: TenantView, api: ApiFor, name: str
) -> None:
    program, path = api(acme), paths[name]
    tag = program.get(path)["ETag"]
    for known in (tag, f"W/{tag}", f'"a" , {tag}', "*"):
        same = program.get(path, headers={"If-None-Match": known})
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", tag)
    for unknown in ('"a"', "nonsense"):
        assert program.get(path, headers={"If-None-Match": unknown}).status_code == 200


def test_what_is_there_is_not_changed_for_who_wants_it_to_be_absent(
    acme: TenantView, api: ApiFor, paths: dict[str, str]
) -> None:
    client, path = api(acme), paths["client"]
    refused = client.patch(path, {"phone": "1"}, headers={"If-None-Match": "*"})
    assert problem(refused, 412)["etag"] == client.get(path)["ETag"]


def test_a_conflict_names_the_tag_that_reading_names(acme: TenantView, api: ApiFor, paths: dict[str, str]) -> None:
    client, path = api(acme), paths["client"]
    notes = "a line\u2028and 1 < 2 & another \u2029 \x7f 😀"
    assert client.patch(path, {"notes": notes}).status_code == 200
    refused = client.patch(path, {"phone": "1"}, headers={"If-Match": '"0-0"'})
    assert problem(refused, 412)["etag"] == refused["ETag"] == client.get(path)["ETag"]


@pytest.mark.parametrize("name", ["client", "invoice", "brand", "domain"])
def test_a_deletion_of_what_was_not_seen_is_refused(acme: TenantView, api: ApiFor, name: str) -> None:
    program, ids = api(acme), belongings_of(acme)
    if name == "client":
        with in_tenant(acme):
            ids["client_id"] = make_client(actor_of(acme)).id
    if name == "brand":
        ids["brand_id"] = program.get("/api/v1/brands").json()["data"][1]["id"]
    ids["invoice_id"] = ids["draft"]
    path = BY_NAME[name].path(ids[BY_NAME[name].parameters[0]])
    tag = program.get(path)["ETag"]
    assert problem(program.delete(path, headers={"If-Match": '"9-0"'}), 412)["etag"] == tag
    assert program.delete(path, headers={"If-Match": tag}).status_code == 204
    assert program.delete(path, headers={"If-Match": tag}).status_code == 404


def test_money_that_came_in_refuses_nobodys_edit_but_is_told(acme: TenantView, api: ApiFor) -> None:
    program = api(acme)
    with in_tenant(acme):
        client_id = make_client(actor_of(acme)).id
    path = f"/api/v1/clients/{client_id}"
    tag = program.get(path)["ETag"]
    with in_tenant(acme):
        make_open(actor_of(acme), client_id=client_id)
    later = program.get(path, headers={"If-None-Match": tag})
    assert (later.status_code, later.json()["invoice_count"]) == (200, 1)
    assert program.patch(path, {"phone": "7"}, headers={"If-Match": tag}).status_code == 200


@pytest.mark.parametrize("header", ["", "x", '"a" "b"', ",", ', "a" b', 'w/"a"', '"ä', "'a'", '*, "a"'])
def test_what_is_no_tag_is_refused(acme: TenantView, api: ApiFor, header: str) -> None:
    answer = api(acme).patch("/api/v1/me", {"last_name": "N"}, headers={"If-Match": header})
    assert problem(answer, 400)["errors"][0]["field"] == "If-Match"


def test_tags_are_read_as_the_rfc_writes_them() -> None:
    assert read_tags({}, "If-Match") is None
    assert read_tags({"If-Match": " * "}, "If-Match") == ANY
    tags = (EntityTag("a,b"), EntityTag("", is_weak=True), EntityTag("3-1f"))
    assert read_tags({"If-Match": '"a,b" ,W/"",\t"3-1f"'}, "If-Match") == tags
    # Empty elements count for nothing.
    assert read_tags({"If-Match": ', ,"a,b",, W/"",\t"3-1f" ,'}, "If-Match") == tags
    assert [str(tag) for tag in tags] == ['"a,b"', 'W/""', '"3-1f"']
    assert [tag.version for tag in tags] == ["", "", "3"]
    with pytest.raises(ValidationFailed):
        read_tags({"If-Match": '"a"x'}, "If-Match")


def test_of_editors_at_the_same_moment_exactly_one_wins(committed: NewTenant) -> None:
    tenant = committed("Editors")
    with in_tenant(tenant):
        client_id = make_client(actor_of(tenant)).id

    def program() -> APIClient:
        client = APIClient(SERVER_NAME=settings.PLATFORM_HOST)
        body = {"email": f"owner@{tenant.slug}.test", "password": PASSWORD, "tenant": tenant.key}
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {client.post('/api/v1/auth/signin', body).json()['access']}")
        return client

    programs = [program() for _ in range(4)]
    for path, field in (
        (f"/api/v1/clients/{client_id}", "phone"),
        ("/api/v1/tenant", "legal_name"),
        ("/api/v1/me", "last_name"),
    ):
        tag = programs[0].get(path)["ETag"]

        def edit(number: int, path: str = path, field: str = field, tag: str = tag) -> Any:
            return programs[number].patch(path, {field: f"{number}"}, headers={"If-Match": tag})

        answers: list[Any] = at_once([lambda number=number, edit=edit: edit(number) for number in range(4)])
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412], path
        winner = next(answer for answer in answers if answer.status_code == 200)
        now = programs[0].get(path)
        assert (now.json(), now["ETag"]) == (winner.json(), winner["ETag"])

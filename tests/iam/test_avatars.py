"""People's pictures: from the announcement to the picture that is shown, and everything that is refused between."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient

from apps.core.clock import utcnow
from apps.core.errors import ValidationFailed
from apps.iam import avatars, portraits, services
from apps.iam.avatar_models import Avatar
from apps.iam.errors import NotUploaded
from apps.iam.models import Membership
from apps.tenancy import purging
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import actor_of
from tests.iam.pictures import bomb, picture
from tests.iam.threads import at_once


def _send(told: dict[str, Any], content: bytes) -> Any:
    client = APIClient(SERVER_NAME="localhost", raise_request_exception=False)
    kind = told["headers"].get("Content-Type", "application/octet-stream")
    return client.generic(told["method"], told["upload_url"], content, content_type=kind)


def _stored(tenant: TenantView) -> list[str]:
    found: list[str] = []
    for folder in (f"tenants/{tenant.id}/avatars", f"tenants/{tenant.id}/avatars/uploads"):
        if default_storage.exists(folder):
            found += [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]]
    return found


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def test_from_announcement_to_removal(acme: TenantView, api: ApiFor) -> None:
    member = api(acme, "MEMBER")
    content = picture("JPEG", (600, 300), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0SECRETPLACE")
    told = member.post("/api/v1/me/avatar", {"content_type": "image/jpeg", "size": len(content)}).json()
    assert told["method"] == "PUT" and told["headers"] == {"Content-Type": "image/jpeg"}
    assert told["object_key"].startswith(f"tenants/{acme.id}/avatars/uploads/")
    early = member.post("/api/v1/me/avatar/confirm", {"object_key": told["object_key"]})
    assert problem(early, 409)["code"] == "not_uploaded"

    assert _send(told, content).status_code == 204
    answer = member.post("/api/v1/me/avatar/confirm", {"object_key": told["object_key"]})
    assert answer.status_code == 200, answer.content
    url = answer.json()["avatar_url"]
    assert member.get("/api/v1/me").json()["avatar_url"] == url
    pictures = {row["email"]: row["avatar_url"] for row in member.get("/api/v1/members?limit=100").json()["data"]}
    assert [email for email, shown in pictures.items() if shown == url] == ["member@acme.test"]
    assert set(pictures.values()) == {url, None}
    again = member.post("/api/v1/me/avatar/confirm", {"object_key": told["object_key"]})
    assert again.json()["avatar_url"] == url

    path = url.removeprefix(acme.home_url)
    for shown_path, size in ((path, 256), (path.replace("-256", "-64"), 64)):
        shown = Client(SERVER_NAME=acme.host).get(shown_path)
        assert shown["Content-Type"] == "image/webp" and shown["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in shown["Content-Security-Policy"]
        assert Image.open(io.BytesIO(shown.content)).size == (size, size)
        assert b"SECRETPLACE" not in shown.content
    assert len(_stored(acme)) == 2

    assert member.delete("/api/v1/me/avatar").status_code == 204
    assert member.delete("/api/v1/me/avatar").status_code == 204
    assert member.get("/api/v1/me").json()["avatar_url"] is None
    assert Client(SERVER_NAME=acme.host).get(path).status_code == 404
    assert _stored(acme) == []


def test_a_picture_is_on_its_own_tenants_host_alone(acme: TenantView, globex: TenantView) -> None:
    name = avatars.take(actor=actor_of(acme), content=picture())
    assert Client(SERVER_NAME=acme.host).get(f"/avatars/{name}-64.webp").status_code == 200
    assert Client(SERVER_NAME=globex.host).get(f"/avatars/{name}-64.webp").status_code == 404
    assert Client(SERVER_NAME=acme.host).get(f"/avatars/{name}-65.webp").status_code == 404


def test_only_keys_of_ones_own_are_confirmed(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    owner, member = actor_of(acme), actor_of(acme, "MEMBER")
    announced = avatars.announce(actor=owner, base_url="")
    key, name = announced.object_key, announced.object_key.rpartition("/")[2]
    default_storage.save(key, io.BytesIO(picture()))
    foreign = api(acme, "MEMBER")
    for wrong in (
        key,
        f"tenants/{acme.id}/avatars/uploads/../uploads/{name}",
        f"/{key}",
        name,
        "../../etc/passwd",
        key + "\x00",
        f"tenants/{globex.id}/avatars/uploads/{name}",
        "",
    ):
        problem(foreign.post("/api/v1/me/avatar/confirm", {"object_key": wrong}), 400)
    for actor, wrong in ((owner, key.replace("uploads/", "uploads//")), (actor_of(globex), key), (member, key)):
        with pytest.raises(ValidationFailed):
            avatars.confirm(actor=actor, object_key=wrong)
    late = utcnow() + timedelta(hours=1)
    with pytest.raises(ValidationFailed):
        avatars.confirm(actor=owner, object_key=key, now=late)
    assert avatars.confirm(actor=owner, object_key=key) == name


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>no picture</html>", "not_a_picture"),
        (picture("BMP"), "not_a_picture"),
        (picture("TIFF"), "not_a_picture"),
        (picture()[:-30], "damaged"),
        (picture("JPEG") + b"<script>alert(1)</script>", "not_a_picture"),
        (picture("GIF") + b"PK\x05\x06" + b"\0" * 18, "not_a_picture"),
        (picture("GIF", comment=b"%PDF-1.4"), "not_a_picture"),
        (bomb(), "not_a_picture"),
        (picture(size=(6000, 5000)), "too_many_pixels"),
        (b"\x89PNG\r\n\x1a\n", "not_a_picture"),
        (picture() + b"\0" * portraits.LARGEST_FILE, "too_large"),
    ],
)
def test_what_is_no_portrait(content: bytes, code: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        portraits.draw(content)
    assert refusal.value.errors[0].code == code


def test_every_kind_that_we_take_is_drawn_and_no_other_than_announced() -> None:
    for kind, content_type in portraits.CONTENT_TYPES.items():
        drawn = portraits.draw(picture(kind), content_type)
        assert {size: Image.open(io.BytesIO(made)).format for size, made in drawn.items()} == {256: "WEBP", 64: "WEBP"}
    with pytest.raises(ValidationFailed):
        portraits.draw(picture("PNG"), "image/jpeg")


def test_a_refused_picture_changes_nothing(acme: TenantView, api: ApiFor) -> None:
    owner = api(acme)
    name = avatars.take(actor=actor_of(acme), content=picture())
    told = owner.post("/api/v1/me/avatar", {}).json()
    _send(told, b"<svg onload=alert(1)>")
    problem(owner.post("/api/v1/me/avatar/confirm", {"object_key": told["object_key"]}), 400)
    assert name in owner.get("/api/v1/me").json()["avatar_url"]
    for body in ({"content_type": "image/svg+xml"}, {"size": 6_000_000}, {"size": 0}):
        problem(owner.post("/api/v1/me/avatar", body), 400)


def test_addresses_for_uploads_cannot_be_made_up(acme: TenantView, api: ApiFor) -> None:
    told = api(acme).post("/api/v1/me/avatar", {}).json()
    for address in (told["upload_url"] + "x", "/api/v1/uploads/x", "/api/v1/uploads/a:b:c"):
        problem(_send({**told, "upload_url": address}, picture()), 404)
    problem(_send(told, b""), 400)
    problem(_send(told, b"\0" * (portraits.LARGEST_FILE + 1)), 400)


def test_what_is_never_confirmed_or_replaced_is_swept(acme: TenantView) -> None:
    owner = actor_of(acme)
    first = avatars.take(actor=owner, content=picture())
    second = avatars.take(actor=owner, content=picture(colour=(0, 0, 0)))
    orphan = avatars.announce(actor=owner, base_url="")
    default_storage.save(orphan.object_key, io.BytesIO(picture()))
    # Sent once more after the confirmation, while the address was good.
    default_storage.save(avatars.upload_key(acme.id, second), io.BytesIO(picture()))
    assert avatars.sweep() == 0 and len(_stored(acme)) == 4
    assert avatars.sweep(now=utcnow() + timedelta(minutes=31)) == 3
    assert sorted(_stored(acme)) == sorted(avatars.picture_key(acme.id, second, size) for size in (64, 256))
    assert [row.name for row in Avatar.objects.all()] == [second] and first != second
    assert avatars.sweep(now=utcnow() + timedelta(minutes=31)) == 0


def test_pictures_go_with_the_member_the_person_and_the_tenant(acme: TenantView) -> None:
    later = utcnow() + timedelta(minutes=31)
    avatars.take(actor=actor_of(acme, "MEMBER"), content=picture())
    member = Membership.objects.get(user__email="member@acme.test", tenant_id=acme.id)
    services.remove_member(actor=actor_of(acme), membership_id=member.id)
    avatars.sweep(now=later)
    assert _stored(acme) == []

    avatars.take(actor=actor_of(acme, "VIEWER"), content=picture())
    Membership.objects.get(user__email="viewer@acme.test", tenant_id=acme.id).user.delete()
    avatars.sweep(now=later)
    assert _stored(acme) == []

    avatars.take(actor=actor_of(acme), content=picture())
    for prefix in purging.files_of(acme.id):
        purging.remove_files(default_storage, prefix)
    assert _stored(acme) == []


def _confirmed(actor: Any, key: str) -> str:
    try:
        return avatars.confirm(actor=actor, object_key=key)
    except (ValidationFailed, NotUploaded):
        return ""


def test_of_many_confirmations_at_once_one_picture_remains(committed: Any) -> None:
    tenant = committed("Pictures")
    owner = actor_of(tenant)
    keys = []
    for number in range(4):
        announced = avatars.announce(actor=owner, base_url="")
        default_storage.save(announced.object_key, io.BytesIO(picture(colour=(number, 0, 0))))
        keys += [announced.object_key] * 2
    at_once(8, lambda number: _confirmed(owner, keys[number]))
    shown = Avatar.objects.filter(tenant_id=tenant.id, state="SHOWN")
    assert shown.count() == 1
    kept = {avatars.picture_key(tenant.id, shown.get().name, size) for size in (64, 256)}
    assert set(_stored(tenant)) >= kept


def test_the_page_takes_a_picture_with_and_without_scripts(acme: TenantView, browser_client: BrowserFor) -> None:
    browser = browser_client(acme)
    upload = io.BytesIO(picture())
    upload.name = "me.png"
    assert browser.post("/account/avatar/", {"avatar": upload}).status_code == 302
    page = browser.get("/account/").content.decode()
    assert "-256.webp" in page and "-64.webp" in page
    assert "-64.webp" in browser.get("/team/").content.decode()

    told = browser.post("/account/avatar/announce/", {"content_type": "image/png", "size": "10"}).json()
    assert told["url"].startswith(f"{acme.home_url}/api/v1/uploads/")
    browser.generic("PUT", told["url"].removeprefix(acme.home_url), picture(), content_type="image/png")
    assert browser.post("/account/avatar/confirm/", {"object_key": told["object_key"]}).json() == {"next": "/account/"}
    for wrong in ("x", "x/\x00"):
        assert browser.post("/account/avatar/confirm/", {"object_key": wrong}).status_code == 400
    assert browser.post("/account/avatar/announce/", {"size": "many"}).status_code == 400
    assert browser.post("/account/avatar/", {}).status_code == 302
    assert browser.post("/account/avatar/delete/").status_code == 302
    assert "-256.webp" not in browser.get("/account/").content.decode()

"""A member's own notifications over REST."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.notifications import selectors, services
from apps.notifications.models import Notification
from apps.tenancy.selectors import TenantView
from tests.factories.notifications import tell
from tests.fixtures.tenants import actor_of

ApiFor = Callable[..., APIClient]
LIST = "/api/v1/notifications"
COUNT = "/api/v1/notifications/unread-count"


@pytest.fixture(autouse=True)
def clean_slate(acme: TenantView, globex: TenantView) -> None:
    Notification.objects.all().delete()


def test_newest_first_in_pages(acme: TenantView, api: ApiFor) -> None:
    for number in range(5):
        tell(acme, f"No. {number}", url="/invoices/")
    client = api(acme)
    first = client.get(LIST, {"limit": 3}).json()
    assert [row["title"] for row in first["data"]] == ["No. 4", "No. 3", "No. 2"]
    assert first["has_more"]
    tell(acme, "Meanwhile")
    second = client.get(LIST, {"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [row["title"] for row in second["data"]] == ["No. 1", "No. 0"]
    assert (second["has_more"], second["next_cursor"]) == (False, None)
    assert set(first["data"][0]) == {
        "id", "cursor", "kind", "level", "title", "body", "url", "is_read", "read_at", "created_at"
    }  # fmt: skip


def test_only_unread(acme: TenantView, api: ApiFor) -> None:
    tell(acme, "Read")
    services.mark_all_read(actor=actor_of(acme))
    tell(acme, "Unread")
    client = api(acme)
    assert [row["title"] for row in client.get(LIST, {"unread": "true"}).json()["data"]] == ["Unread"]
    assert len(client.get(LIST, {"unread": "false"}).json()["data"]) == 2
    assert client.get(LIST, {"unread": "perhaps"}).json()["errors"][0]["field"] == "unread"
    assert client.get(COUNT).json() == {"unread": 1, "cursor": selectors.cursor(actor=actor_of(acme))}


def test_reading_one(acme: TenantView, api: ApiFor) -> None:
    tell(acme)
    client = api(acme)
    (row,) = client.get(LIST).json()["data"]
    path = f"{LIST}/{row['id']}"
    assert client.patch(path, {"is_read": True}).status_code == 204
    (row,) = client.get(LIST).json()["data"]
    assert row["is_read"] and row["read_at"]
    assert client.patch(path, {"is_read": False}).status_code == 204
    assert client.get(COUNT).json()["unread"] == 1
    assert client.patch(path, {"is_read": "perhaps"}).status_code == 400
    assert client.patch(path, {}).status_code == 400


def test_reading_all(acme: TenantView, api: ApiFor) -> None:
    tell(acme, roles=("OWNER", "VIEWER"))
    tell(acme)
    client = api(acme)
    assert client.patch(LIST, {"is_read": False}).status_code == 400
    assert client.patch(LIST, {"is_read": True}).status_code == 204
    assert client.get(COUNT).json()["unread"] == 0
    assert selectors.unread_count(actor=actor_of(acme, "VIEWER")) == 1, "everybody reads for himself"


def test_deleting(acme: TenantView, api: ApiFor) -> None:
    tell(acme, roles=("OWNER", "VIEWER"))
    tell(acme)
    client = api(acme)
    newest = client.get(LIST).json()["data"][0]["id"]
    assert client.delete(f"{LIST}/{newest}").status_code == 204
    assert client.delete(f"{LIST}/{newest}").status_code == 404
    assert client.delete(LIST).status_code == 204
    assert client.get(LIST).json()["data"] == []
    assert selectors.unread_count(actor=actor_of(acme, "VIEWER")) == 1


def test_others_are_not_found(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    tell(acme)
    row = Notification.objects.get()
    for stranger in (api(acme, "ADMIN"), api(globex)):
        assert stranger.get(LIST).json()["data"] == []
        foreign = stranger.patch(f"{LIST}/{row.id}", {"is_read": True})
        unknown = stranger.patch(f"{LIST}/{uuid4()}", {"is_read": True})
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign.json()["detail"] == unknown.json()["detail"]
        assert stranger.delete(f"{LIST}/{row.id}").status_code == 404
        stranger.delete(LIST)
    assert Notification.objects.filter(pk=row.id, read_at=None).exists()


def test_without_a_token(anonymous_api: APIClient) -> None:
    for path in (LIST, COUNT):
        assert anonymous_api.get(path).status_code == 401

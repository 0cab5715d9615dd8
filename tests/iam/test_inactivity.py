"""Half an hour without use ends a browser's session; pages ask before, and looking for news is no use."""

from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.test import Client

from apps.core.clock import utcnow
from apps.iam.models import TokenFamily
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import BrowserFor


def _idle(client: Client, minutes: float) -> None:
    """As if the browser had done nothing for so long."""
    family = client.session["iam_family"]
    TokenFamily.objects.filter(pk=family).update(last_seen_at=utcnow() - timedelta(minutes=minutes))
    Session.objects.filter(pk=client.session.session_key).update(expire_date=utcnow() + timedelta(minutes=30 - minutes))


def _expires(client: Client) -> Any:
    return Session.objects.get(pk=client.session.session_key).expire_date


def test_the_page_knows_how_long_the_session_holds(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    assert 'data-idle="179' in client.get("/clients/").content.decode()
    _idle(client, 0.9)
    assert 'data-idle="174' in client.get("/clients/").content.decode()
    _idle(client, 20)
    assert 'data-idle="1800"' in client.get("/clients/").content.decode()


def test_what_a_page_asks_by_itself_keeps_nothing_alive(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    _idle(client, 20)
    before = _expires(client)
    client.get("/notifications/bell/", headers={"X-Passive": "1"})
    assert _expires(client) == before

    client.get("/clients/")
    assert _expires(client) > before


def test_who_is_there_keeps_the_session(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    _idle(client, 29)
    answer = client.post("/session/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["X-Session-Seconds"]) == (204, "1800")
    assert _expires(client) > utcnow() + timedelta(minutes=29)

    _idle(client, 31)
    assert client.post("/session/", headers={"HX-Request": "true"}).status_code == 401

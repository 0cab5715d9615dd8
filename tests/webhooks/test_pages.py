"""Webhooks in the settings: endpoints made and changed by forms, secrets shown once, the log, replaying."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.core.clock import utcnow
from apps.tenancy.selectors import TenantView
from apps.webhooks import services
from apps.webhooks.catalogue import CATALOGUE, TEST
from apps.webhooks.event_labels import FAMILIES
from apps.webhooks.forms import picked
from apps.webhooks.models import Endpoint
from tests.factories.invoices import make_client
from tests.factories.webhooks import Receiver, deliveries, make_endpoint, stored, turn
from tests.fixtures.clients import BrowserFor
from tests.fixtures.tenants import actor_of, in_tenant

PAGE = "/settings/webhooks/"
VERSION = re.compile(r'name="version" value="([^"]+)"')


@pytest.fixture
def visitor(acme: TenantView, browser_client: BrowserFor) -> Client:
    return browser_client(acme)


def text(visitor: Client, path: str, status: int = 200, **query: str) -> str:
    answer = visitor.get(path, query)
    assert answer.status_code == status
    return answer.content.decode()


def only(tenant: TenantView) -> Endpoint:
    with in_tenant(tenant):
        return Endpoint.objects.get()


def test_every_event_of_the_catalogue_can_be_chosen_by_words() -> None:
    shown = [name for _pattern, _label, events in FAMILIES for name, _words in events]
    assert shown == [name for name in CATALOGUE if name != TEST.name]
    assert [pattern for pattern, _label, _events in FAMILIES] == list(
        dict.fromkeys(CATALOGUE[name].family for name in shown)
    )


def test_what_a_wider_choice_covers_is_not_said_twice() -> None:
    assert picked(["client.created", "invoice.*", "invoice.paid"]) == ["client.created", "invoice.*"]
    assert picked(["client.created", "*", "invoice.*"]) == ["*"]
    assert picked([]) == []


def test_an_endpoint_is_made_and_its_secret_shown_once(acme: TenantView, visitor: Client) -> None:
    assert "No webhook endpoints" in text(visitor, PAGE)
    assert 'value="invoice.*"' in text(visitor, f"{PAGE}new/")
    typed = {"url": "https://books.example/hook", "description": "Books", "event_types": ["invoice.paid", "payment.*"]}
    answer = visitor.post(f"{PAGE}new/", typed)
    (secret,) = re.findall(r'<code dir="ltr">(whsec_[^<]+)</code>', answer.content.decode())
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    row = only(acme)
    assert (row.url, row.event_types) == ("https://books.example/hook", ["invoice.paid", "payment.*"])
    for path in (PAGE, f"{PAGE}{row.id}/", f"{PAGE}{row.id}/edit/"):
        page = text(visitor, path)
        assert "books.example" in page and secret not in page
    assert f"whsec_…{secret[-4:]}" in text(visitor, f"{PAGE}{row.id}/")


def test_a_refused_form_keeps_what_was_typed(visitor: Client) -> None:
    typed = {"url": "ftp://books.example/", "description": "Books", "event_types": ["invoice.paid"]}
    answer = visitor.post(f"{PAGE}new/", typed)
    page = answer.content.decode()
    assert answer.status_code == 400 and 'value="ftp://books.example/"' in page
    assert "must begin with https://" in page and 'value="invoice.paid" checked' in page
    nothing = visitor.post(f"{PAGE}new/", {"url": "https://books.example/"})
    assert nothing.status_code == 400 and b"Choose at least one type of event." in nothing.content


def test_a_form_that_somebody_overtook_keeps_what_was_typed(acme: TenantView, visitor: Client) -> None:
    endpoint = make_endpoint(acme, event_types=["invoice.paid"]).endpoint
    path = f"{PAGE}{endpoint.id}/edit/"
    (opened,) = VERSION.findall(text(visitor, path))
    with in_tenant(acme):
        services.update_endpoint(
            actor=actor_of(acme, "ADMIN"),
            endpoint_id=endpoint.id,
            changes={"description": "Theirs", "event_types": ["client.*"]},
        )
    typed = {"url": endpoint.url, "description": "Typed", "event_types": ["invoice.sent"], "version": opened}
    answer = visitor.post(path, typed)
    page = answer.content.decode()
    assert answer.status_code == 409 and "admin@acme.test changed this on" in page
    for told in (
        "Description: <b>Theirs</b>",
        "Events: <b>client.*</b>",
        'value="Typed"',
        'value="invoice.sent" checked',
    ):
        assert told in page, told
    (present,) = VERSION.findall(page)
    assert visitor.post(path, {**typed, "version": present}).status_code == 302
    assert stored(acme, endpoint.id).event_types == ["invoice.sent"]


def test_a_secret_is_rotated_with_an_overlap(acme: TenantView, visitor: Client) -> None:
    made = make_endpoint(acme)
    page = visitor.post(f"{PAGE}{made.endpoint.id}/rotate/", {"overlap": "24"}).content.decode()
    (secret,) = re.findall(r'<code dir="ltr">(whsec_[^<]+)</code>', page)
    assert secret != made.secret and "signed with the former secret, too" in page
    assert "The former secret signs along until" in text(visitor, f"{PAGE}{made.endpoint.id}/")
    refused = visitor.post(f"{PAGE}{made.endpoint.id}/rotate/", {"overlap": "9999"})
    assert refused.status_code == 302 and f"whsec_…{secret[-4:]}" in text(visitor, f"{PAGE}{made.endpoint.id}/")


def test_disabling_enabling_and_removing(acme: TenantView, visitor: Client) -> None:
    endpoint = make_endpoint(acme).endpoint
    path = f"{PAGE}{endpoint.id}/"
    assert visitor.post(f"{path}disable/").status_code == 302
    page = text(visitor, path)
    assert "What happens is not told to it." in page and 'id="replay"' not in page and f"{path}disable/" not in page
    assert "This endpoint is disabled already." in visitor.post(f"{path}disable/", follow=True).content.decode()
    visitor.post(f"{path}enable/")
    assert stored(acme, endpoint.id).is_enabled
    visitor.post(f"{path}delete/")
    assert text(visitor, path, 404)


def test_a_test_event_leads_to_what_comes_back(
    acme: TenantView, visitor: Client, receiver: Receiver, run_tasks: Callable[[], Any]
) -> None:
    endpoint = make_endpoint(acme, receiver.url).endpoint
    receiver.answers, receiver.body = [200, 503], b"<b>closed</b>"
    waiting = visitor.post(f"{PAGE}{endpoint.id}/test/", follow=True)
    path, page = waiting.redirect_chain[-1][0], waiting.content.decode()
    assert "on its way" in page and 'hx-trigger="every 2s"' in page
    turn(acme, endpoint.id)
    good = text(visitor, path)
    assert "The endpoint took the test event." in good and "webhook-id: evt_" in good and "every 2s" not in good

    def tried() -> str:
        with run_tasks():
            answer = visitor.post(f"{PAGE}{endpoint.id}/test/")
        return text(visitor, answer["Location"])

    bad = tried()
    assert "did not take the test event" in bad and "&lt;b&gt;closed&lt;/b&gt;" in bad and "<b>closed" not in bad
    receiver.act = lambda request: request.connection.close()
    assert "No answer" in tried()


def test_the_log_has_tabs_and_filters(acme: TenantView, visitor: Client, receiver: Receiver) -> None:
    assert "Nothing was sent yet" in text(visitor, f"{PAGE}deliveries/")
    taken = make_endpoint(acme, f"{receiver.url}/taken", event_types=["client.*"]).endpoint
    make_endpoint(acme, f"{receiver.url}/waits", description="Waits")
    with in_tenant(acme):
        make_client(actor_of(acme))
    turn(acme, taken.id)
    log = f"{PAGE}deliveries/"
    assert text(visitor, log).count("row-link") == 2
    arrived = text(visitor, log, state="succeeded")
    assert arrived.count("row-link") == 1 and "/taken" in arrived
    assert text(visitor, log, endpoint_id=str(taken.id), event_type="client.created").count("row-link") == 1
    assert "No deliveries match" in text(visitor, log, event_type="member.joined")
    assert visitor.get(log, {"state": "lost"})["Location"] == log
    outcomes = text(visitor, PAGE)
    assert "1 of the last 1 arrived" in outcomes and "The first are on their way" in outcomes


def test_a_delivery_is_looked_at_and_sent_again(acme: TenantView, visitor: Client, receiver: Receiver) -> None:
    endpoint = make_endpoint(acme, receiver.url, event_types=["client.created"]).endpoint
    with in_tenant(acme):
        client = make_client(actor_of(acme), name="Ионические яхты")
    (owed,) = deliveries(acme, endpoint_id=endpoint.id)
    path = f"{PAGE}deliveries/{owed.id}/"
    looking = text(visitor, path)
    assert "Ионические яхты" in looking and f"/clients/{client.id}/" in looking and f"{path}replay/" not in looking
    # The first attempt is near: the page asks what is new.
    (seen,) = re.findall(r"\?seen=([\w-]+)", looking)
    asked = {"HX-Request": "true"}
    assert visitor.get(path, {"seen": seen}, headers=asked).status_code == 204
    turn(acme, endpoint.id)
    news = visitor.get(path, {"seen": seen}, headers=asked)
    assert news.status_code == 200 and 'hx-trigger="every' not in news.content.decode()
    assert visitor.post(f"{path}replay/").status_code == 302
    (again,) = deliveries(acme, endpoint_id=endpoint.id)
    assert (again.state, again.attempts) == ("PENDING", 1)


def test_replaying_since_a_moment(acme: TenantView, visitor: Client, receiver: Receiver) -> None:
    endpoint = make_endpoint(acme, receiver.url, event_types=["client.*"]).endpoint
    with in_tenant(acme):
        make_client(actor_of(acme))
    turn(acme, endpoint.id)
    path, since = f"{PAGE}{endpoint.id}/replay/", (utcnow() - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    assert "nothing to send again" in visitor.post(path, {"since": since}, follow=True).content.decode()
    both = visitor.post(path, {"since": since, "also_arrived": "on"}, follow=True).content.decode()
    assert "1 delivery is sent again." in both
    later = (utcnow() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    for wrong in (later, "yesterday", ""):
        refused = visitor.post(path, {"since": wrong})
        assert refused.status_code == 400 and b"data-shown" in refused.content, wrong
    assert "Name a moment that has passed." in visitor.post(path, {"since": later}).content.decode()


def test_another_tenants_are_not_found(acme: TenantView, globex: TenantView, visitor: Client) -> None:
    theirs = make_endpoint(globex, "https://globex.example/").endpoint
    with in_tenant(globex):
        make_client(actor_of(globex))
    (owed,) = deliveries(globex, endpoint_id=theirs.id)
    for path in (f"{PAGE}{theirs.id}/", f"{PAGE}{theirs.id}/edit/", f"{PAGE}deliveries/{owed.id}/"):
        text(visitor, path, 404)
    for verb in ("rotate", "enable", "disable", "delete", "test", "replay"):
        assert visitor.post(f"{PAGE}{theirs.id}/{verb}/", {"overlap": "1"}).status_code == 404, verb
    assert visitor.post(f"{PAGE}deliveries/{owed.id}/replay/").status_code == 404
    assert "globex.example" not in text(visitor, PAGE) + text(visitor, f"{PAGE}deliveries/")


def test_who_may_not_set_webhooks_up_finds_no_way_there(acme: TenantView, browser_client: BrowserFor) -> None:
    member = browser_client(acme, "MEMBER")
    assert member.get(PAGE).status_code == 403
    assert PAGE not in member.get("/").content.decode()
    assert PAGE in browser_client(acme, "ADMIN").get("/settings/").content.decode()

"""The notification centre, the bell and the e-mails about an object."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from apps.notifications import selectors, services
from apps.notifications.models import EmailDelivery, Notification
from apps.tenancy.selectors import TenantView
from tests.factories.notifications import owe, tell
from tests.fixtures.tenants import actor_of

BrowserFor = Callable[..., Client]
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def clean_slate(acme: TenantView, globex: TenantView) -> None:
    Notification.objects.all().delete()


def test_the_centre_lists_what_was_told(acme: TenantView, globex: TenantView, browser_client: BrowserFor) -> None:
    tell(acme, "For <b>Acme</b>")
    tell(acme, "For its viewer", roles=("VIEWER",))
    tell(globex, "For Globex")
    page = browser_client(acme).get("/notifications/").content.decode()
    assert "For &lt;b&gt;Acme&lt;/b&gt;" in page
    assert "For its viewer" not in page
    assert "For Globex" not in page


def test_only_unread_when_asked(acme: TenantView, browser_client: BrowserFor) -> None:
    tell(acme, "Old news")
    services.mark_all_read(actor=actor_of(acme))
    tell(acme, "Fresh news")
    page = browser_client(acme).get("/notifications/", {"show": "unread"}).content.decode()
    assert "Fresh news" in page.split("<main")[1]
    assert "Old news" not in page.split("<main")[1]


def test_older_ones_are_appended(acme: TenantView, browser_client: BrowserFor) -> None:
    for number in range(25):
        tell(acme, f"No. {number:02}")
    client = browser_client(acme)
    page = client.get("/notifications/").content.decode()
    assert page.split("<main")[1].count("<b>No. ") == 20
    cursor = page.split("show=all&cursor=")[1].split('"')[0]
    more = client.get("/notifications/", {"show": "all", "cursor": cursor}, **HTMX).content.decode()
    assert more.count("<b>No. ") == 5
    assert "<html" not in more
    whole = client.get("/notifications/", {"show": "all", "cursor": cursor}).content.decode()
    assert "<html" in whole, "the link works without htmx"


def test_the_bell_shows_the_latest_and_the_count(acme: TenantView, browser_client: BrowserFor) -> None:
    for number in range(10):
        tell(acme, f"No. {number}")
    answer = browser_client(acme).get("/notifications/bell/", **HTMX)
    assert answer.content.decode().count("<b>No. ") == selectors.BELL_ROWS
    assert answer["X-Unread-Count"] == "10"
    assert answer["Cache-Control"] == "no-store"


def test_opening_one_reads_it_and_leads_there(acme: TenantView, browser_client: BrowserFor) -> None:
    tell(acme, url="/clients/")
    row = Notification.objects.get()
    client = browser_client(acme)
    assert client.get(f"/notifications/{row.id}/open/").status_code == 405
    answer = client.post(f"/notifications/{row.id}/open/")
    assert (answer.status_code, answer["Location"]) == (302, "/clients/")
    row.refresh_from_db()
    assert row.read_at


def test_one_that_leads_nowhere_leads_to_the_centre(acme: TenantView, browser_client: BrowserFor) -> None:
    tell(acme)
    answer = browser_client(acme).post(f"/notifications/{Notification.objects.get().id}/open/")
    assert answer["Location"] == "/notifications/"


def test_reading_all_answers_a_page_and_htmx(acme: TenantView, browser_client: BrowserFor) -> None:
    tell(acme)
    client = browser_client(acme)
    answer = client.post("/notifications/read-all/", HTTP_REFERER=f"http://{acme.host}/invoices/")
    assert answer["Location"] == f"http://{acme.host}/invoices/"
    assert selectors.unread_count(actor=actor_of(acme)) == 0
    assert client.post("/notifications/read-all/", HTTP_REFERER="https://evil.test/")["Location"] == "/notifications/"
    assert client.post("/notifications/read-all/", **HTMX)["Location"] == "/notifications/bell/"


def test_others_are_not_found(acme: TenantView, globex: TenantView, browser_client: BrowserFor) -> None:
    tell(acme)
    row = Notification.objects.get()
    for stranger in (browser_client(acme, "ADMIN"), browser_client(globex)):
        for verb in ("open", "delete"):
            assert stranger.post(f"/notifications/{row.id}/{verb}/").status_code == 404
    assert Notification.objects.filter(pk=row.id, read_at=None).exists()


def test_deleting_one(acme: TenantView, browser_client: BrowserFor) -> None:
    tell(acme)
    client = browser_client(acme)
    answer = client.post(f"/notifications/{Notification.objects.get().id}/delete/", **HTMX)
    assert (answer.status_code, answer.content) == (200, b"")
    assert not Notification.objects.exists()


def test_emails_about_an_invoice(acme: TenantView, globex: TenantView, browser_client: BrowserFor) -> None:
    invoice_id = uuid4()
    owe(acme.id, related_type="invoice", related_id=invoice_id, subject="From Acme")
    failed = owe(acme.id, related_type="invoice", related_id=invoice_id, subject="A bounced one")
    EmailDelivery.objects.filter(pk=failed.pk).update(state="FAILED", next_attempt_at=None)
    owe(globex.id, related_type="invoice", related_id=invoice_id, subject="From Globex")
    client = browser_client(acme, "VIEWER")
    shown = client.get(f"/notifications/e-mails/invoice/{invoice_id}/").content.decode()
    assert "From Acme" in shown
    assert "Failed" in shown
    assert "From Globex" not in shown
    assert client.get(f"/notifications/e-mails/secrets/{invoice_id}/").status_code == 404


def test_strangers_are_sent_to_sign_in(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host)
    for path in ("/notifications/", f"/notifications/e-mails/invoice/{uuid4()}/"):
        assert client.get(path)["Location"].startswith("/sign-in/?next=")
    assert client.get("/notifications/bell/", **HTMX)["HX-Redirect"].startswith("/sign-in/")

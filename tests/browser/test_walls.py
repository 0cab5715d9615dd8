"""Who may see and do what, as people meet it: hidden buttons, refused addresses, another workspace's walls."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Complaints, Platform, Visit


def test_a_viewer_finds_nothing_to_change(platform: Platform, visit: Visit) -> None:
    program = platform.program()
    client = program.client("Tidal Energy")
    invoice, draft = program.invoice(client), program.invoice(client, finalized=False)
    page = visit("VIEWER")
    for path in ("/", "/invoices/", "/clients/", f"/clients/{client['id']}/", f"/invoices/{draft['id']}/"):
        page.goto(platform.url(path))
        main = page.get_by_role("main")
        assert main.locator("form[method=post]").count() == 0, path
        assert main.get_by_role("link", name="New").count() == 0, path
        assert main.get_by_role("link", name="Edit").count() == 0, path
    page.goto(platform.url(f"/invoices/{invoice['id']}/"))
    expect(page.get_by_role("main").get_by_role("button")).to_have_text(["Copy payment link"])
    expect(page.get_by_role("link", name="Audit trail")).to_have_count(0)
    expect(page.get_by_role("link", name="Settings")).to_have_count(0)


@pytest.mark.parametrize("path", ["/invoices/new/", "/clients/new/", "/audit/", "/settings/"])
def test_a_viewer_is_refused_at_the_address(
    platform: Platform, visit: Visit, complaints: Complaints, path: str
) -> None:
    complaints.expected.add("status of 403")
    page = visit("VIEWER")
    answer = page.goto(platform.url(path))
    assert answer is not None and answer.status == 403
    expect(page.get_by_role("heading", level=1)).to_have_text("You are not allowed to see this")


def test_another_workspaces_host_shows_nothing(platform: Platform, visit: Visit, complaints: Complaints) -> None:
    program = platform.program()
    invoice = program.invoice(program.client("Secret Client"))
    page = visit("OWNER")
    page.goto(platform.url(f"/invoices/{invoice['id']}/", platform.elsewhere))
    expect(page.get_by_role("heading", name="Sign in to Borealis Works")).to_be_visible()

    page.get_by_label("E-mail").fill(f"owner@{platform.elsewhere.slug}.test")
    page.get_by_label("Password").fill("Insula-test-1")
    complaints.expected.add("status of 404")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    hosted = invoice["hosted_url"].replace(platform.here.host, platform.elsewhere.host)
    page.goto(hosted)
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    assert "Secret Client" not in page.content()


def test_a_host_without_a_workspace_says_so(platform: Platform, visit: Visit, complaints: Complaints) -> None:
    complaints.expected.add("status of 404")
    page = visit()
    page.goto(platform.url().replace(platform.here.slug, "nobody"))
    expect(page.get_by_role("heading", name="No workspace lives here")).to_be_visible()

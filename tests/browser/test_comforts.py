"""What saves people work and mistakes: guards against sending twice and leaving, commands of the page, the theme."""

import re
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import Platform, Visit
from tests.iam.pictures import picture


@pytest.fixture(scope="module")
def client(platform: Platform) -> dict[str, Any]:
    """A client to write to."""
    return platform.program().client("Cobalt Press")


def test_two_clicks_record_one_payment(platform: Platform, visit: Visit, client: dict[str, Any]) -> None:
    invoice = platform.program().invoice(client)
    page = visit("OWNER")
    page.goto(platform.url(f"/invoices/{invoice['id']}/"))
    page.get_by_role("button", name="Record payment").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount").fill("10.00")
    posts: list[str] = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    dialog.get_by_role("button", name="Record payment").dblclick()
    expect(page.get_by_text("€109.00", exact=True).first).to_be_visible()
    assert len(posts) == 1


@pytest.mark.parametrize("button", ["Add line", "Remove this line"])
def test_lines_added_or_removed_are_not_left_behind_unasked(platform: Platform, visit: Visit, button: str) -> None:
    page = visit("OWNER")
    page.goto(platform.url("/invoices/new/"))
    page.get_by_role("button", name=button).first.click()
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New invoice")
    assert asked == ["beforeunload"]
    page.remove_listener("dialog", stay)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/invoices/")


def test_the_palette_offers_what_the_page_offers(platform: Platform, visit: Visit, client: dict[str, Any]) -> None:
    invoice = platform.program().invoice(client)
    page = visit("OWNER")
    page.goto(platform.url(f"/invoices/{invoice['id']}/"))
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Search and commands")
    expect(palette.get_by_role("list", name="On this page")).to_contain_text("Record payment")
    page.keyboard.type("record")
    page.keyboard.press("Enter")
    expect(palette).to_be_hidden()
    expect(page.get_by_role("dialog", name="Record a payment")).to_be_visible()


def test_one_escape_leaves_the_palette(platform: Platform, visit: Visit) -> None:
    page = visit("OWNER")
    page.goto(platform.url("/"))
    page.keyboard.press("Control+k")
    page.keyboard.type("clients")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Search and commands")).to_be_hidden()


def test_a_theme_is_kept_and_given_back_to_the_system(platform: Platform, visit: Visit) -> None:
    page = visit(color_scheme="light")
    page.goto(platform.public())
    switch = page.get_by_role("button", name="Switch colour theme")
    switch.click()
    page.reload()
    assert _background(page) == "dark"
    switch.click()
    assert _background(page) == "light"
    page.emulate_media(color_scheme="dark")
    assert _background(page) == "dark"


def _background(page: Page) -> str:
    shown = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    lightness = re.match(r"oklch\(([\d.]+)", shown)
    assert lightness is not None, shown
    return "light" if float(lightness[1]) > 0.5 else "dark"


def test_who_is_idle_is_asked_and_stays_in_every_tab(platform: Platform, visit: Visit) -> None:
    page, other = visit("OWNER"), visit("OWNER")
    page.clock.install()
    for tab in (page, other):
        tab.goto(platform.url("/clients/"))
    page.clock.fast_forward("28:30")
    asked = page.get_by_role("dialog", name="Are you still there?")
    expect(asked).to_be_visible()
    expect(other.get_by_role("dialog", name="Are you still there?")).to_be_visible()
    expect(asked.get_by_role("button", name="Stay signed in")).to_be_focused()

    with page.expect_response("**/session/") as renewed:
        page.keyboard.press("Enter")
    assert renewed.value.status == 204
    expect(asked).to_be_hidden()
    expect(other.get_by_role("dialog", name="Are you still there?")).to_be_hidden()


def test_a_picture_is_shown_as_soon_as_it_is_chosen(platform: Platform, visit: Visit) -> None:
    page = visit("MEMBER")
    page.goto(platform.url("/account/"))
    chosen = FilePayload(name="me.png", mimeType="image/png", buffer=picture())
    page.get_by_label("Picture", exact=True).set_input_files(chosen)
    expect(page.locator("main img.avatar")).to_be_visible()
    assert page.locator("header img.avatar").evaluate("picture => picture.naturalWidth") == 64
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("img.avatar")).to_have_count(0)

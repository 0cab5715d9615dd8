"""The brand editor: the preview follows what is typed, and the pages wear what was saved."""

from playwright.sync_api import expect

from tests.browser.conftest import Platform, Visit


def test_the_preview_follows_and_the_pages_wear_it(platform: Platform, visit: Visit) -> None:
    page = visit("OWNER")
    page.goto(platform.url("/settings/brands/new/"))
    page.get_by_label("Name", exact=True).fill("Harbour")
    page.get_by_label("Accent colour").fill("#ffd400")
    page.get_by_label("Payment terms").fill("Payable within 30 days")

    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_text("Payable within 30 days")).to_be_visible()
    expect(preview.locator(".mock-button").first).to_have_css("background-color", "rgb(255, 212, 0)")
    expect(preview.locator(".mock-button").first).to_have_css("color", "rgb(0, 0, 0)")
    expect(preview.get_by_text("This colour is pale")).to_be_visible()

    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/settings/brands/")
    expect(page.get_by_role("link", name="New brand")).to_have_css("background-color", "rgb(255, 212, 0)")

    program = platform.program()
    for brand in program.call("GET", "/brands")["data"]:
        program.call("DELETE", f"/brands/{brand['id']}")

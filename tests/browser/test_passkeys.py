"""A passkey of the browser's own, made on the account's page, signs its person in."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Platform, Visit
from tests.fixtures.tenants import PASSWORD

# A device like a laptop with a fingerprint reader whose owner touches it whenever he is asked.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def _give_device(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def test_a_passkey_is_added_and_signs_in(platform: Platform, visit: Visit) -> None:
    page, there = visit(locale="en-GB"), platform.elsewhere
    _give_device(page)
    page.goto(platform.url("/sign-in/?next=/account/two-step/", there))
    page.get_by_label("E-mail").fill(f"viewer@{there.slug}.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Name of the new passkey").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("cell", name="Laptop")).to_be_visible()

    page.context.clear_cookies()
    page.goto(platform.url("/sign-in/?next=/account/two-step/", there))
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("row", name="Laptop")).not_to_contain_text("Never")

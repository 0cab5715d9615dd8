"""Every page: accessible in light and dark, no sideways scrolling on a phone, mirrored for Arabic."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, Platform, Program, Visit

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1360, "height": 900}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft & Sons International Ltd"


@pytest.fixture(scope="module")
def made(platform: Platform) -> dict[str, Any]:
    """One object of each kind, with the awkward names that real life brings."""
    program = platform.program()
    client = program.client(LONG, address="Hafenstraße 12\n20457 Hamburg", notes="x" * 300)
    found = {
        "client": client,
        "draft": program.invoice(client, finalized=False),
        "open": program.invoice(client, price_minor=99_999_999_99),
        "paid": program.invoice(program.client("شركة الواحة للتجارة", locale="ar")),
    }
    body = {"amount_minor": found["paid"]["total_minor"], "method": "BANK_TRANSFER", "reference": "SEPA " * 15}
    program.call("POST", f"/invoices/{found['paid']['id']}/payments", body)
    found["payment"] = program.call("GET", "/payments")["data"][0]
    program.call("POST", "/api-keys", {"name": LONG[:100], "scopes": ["invoices:read", "clients:write"]})
    hook = {"url": f"https://hooks.example/{'warehouse' * 30}", "event_types": ["member.*"]}
    found["endpoint"] = program.call("POST", "/webhooks/endpoints", hook)
    found["entry"] = _entry(program)
    return found


def _entry(program: Program) -> dict[str, Any]:
    entry: dict[str, Any] = program.call("GET", "/audit")["data"][0]
    return entry


INSIDE: dict[str, Callable[[dict[str, Any]], str]] = {
    "dashboard": lambda made: "/",
    "invoices": lambda made: "/invoices/",
    "invoices, nothing found": lambda made: "/invoices/?q=nothing-has-this-name",
    "invoice editor": lambda made: "/invoices/new/",
    "draft": lambda made: f"/invoices/{made['draft']['id']}/",
    "draft in the editor": lambda made: f"/invoices/{made['draft']['id']}/edit/",
    "open invoice": lambda made: f"/invoices/{made['open']['id']}/",
    "paid invoice": lambda made: f"/invoices/{made['paid']['id']}/",
    "clients": lambda made: "/clients/",
    "new client": lambda made: "/clients/new/",
    "client": lambda made: f"/clients/{made['client']['id']}/",
    "client's form": lambda made: f"/clients/{made['client']['id']}/edit/",
    "payments": lambda made: "/payments/",
    "payments, none": lambda made: "/payments/?status=FAILED",
    "payment": lambda made: f"/payments/{made['payment']['id']}/",
    "audit trail": lambda made: "/audit/",
    "audit entry": lambda made: f"/audit/{made['entry']['id']}/",
    "settings": lambda made: "/settings/",
    "tax numbers": lambda made: "/settings/tax-ids/",
    "number series": lambda made: "/settings/numbers/",
    "domains": lambda made: "/settings/domains/",
    "brands": lambda made: "/settings/brands/",
    "brand editor": lambda made: "/settings/brands/new/",
    "API keys": lambda made: "/settings/api-keys/",
    "new API key": lambda made: "/settings/api-keys/new/",
    "new webhook endpoint": lambda made: "/settings/webhooks/new/",
    "webhook endpoint": lambda made: f"/settings/webhooks/{made['endpoint']['id']}/",
    "single sign-on": lambda made: "/settings/sso/",
    "directory": lambda made: "/settings/directory/",
    "roles": lambda made: "/team/roles/",
    "account": lambda made: "/account/",
    "devices": lambda made: "/account/security/",
    "two-step sign-in": lambda made: "/account/two-step/",
    "notifications": lambda made: "/notifications/",
    "unread notifications": lambda made: "/notifications/?show=unread",
    "nothing here": lambda made: "/nothing-here/",
}


def _serious(page: Page, **options: Any) -> list[str]:
    answer = Axe().run(page, options={"resultTypes": ["violations"], **options}).response
    return [
        f"{found['id']} ({found['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for found in answer["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


def _examine(page: Page) -> None:
    assert _serious(page, runOnly=WCAG) == [], "light"
    page.emulate_media(color_scheme="dark")
    assert _serious(page, runOnly={"type": "rule", "values": ["color-contrast"]}) == [], "dark"
    page.set_viewport_size(PHONE)
    _fits(page)


def _fits(page: Page) -> None:
    wide = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 1)
            .map((element) => element.outerHTML.slice(0, 120))"""
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], wide


@pytest.mark.parametrize("name", INSIDE)
def test_inside(platform: Platform, look: Visit, complaints: Complaints, made: dict[str, Any], name: str) -> None:
    complaints.expected.add("nothing-here")
    page = look("OWNER", viewport=DESK, color_scheme="light")
    page.goto(platform.url(INSIDE[name](made)))
    _examine(page)


@pytest.mark.parametrize("path", ["/", "/sign-up/", "/sign-in/"])
def test_outside(platform: Platform, look: Visit, path: str) -> None:
    page = look(viewport=DESK, color_scheme="light")
    page.goto(platform.public(path))
    _examine(page)


@pytest.mark.parametrize("state", ["open", "paid"])
def test_the_customers_page(platform: Platform, look: Visit, made: dict[str, Any], state: str) -> None:
    page = look(viewport=DESK, color_scheme="light")
    page.goto(made[state]["hosted_url"])
    _examine(page)


def test_what_opens_above_a_page(platform: Platform, visit: Visit, made: dict[str, Any]) -> None:
    page = visit("OWNER", viewport=DESK, color_scheme="light")
    page.goto(platform.url(f"/invoices/{made['open']['id']}/"))
    for button in ("Record payment", "Void"):
        page.get_by_role("button", name=button).first.click()
        assert _serious(page, runOnly=WCAG) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Notifications").click()
    expect(page.locator("#bell li").first).to_be_visible()
    assert _serious(page, runOnly=WCAG) == []


def test_the_palette_finds_commands_and_objects(platform: Platform, visit: Visit, made: dict[str, Any]) -> None:
    page = visit("OWNER", viewport=DESK)
    page.goto(platform.url("/settings/"))
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog")
    palette.get_by_role("searchbox").fill("Donau")
    expect(palette.get_by_role("link", name=LONG).last).to_be_visible()
    assert _serious(page, runOnly=WCAG) == []
    palette.get_by_role("searchbox").fill("nobody is called so")
    expect(palette).to_contain_text("No invoice or client matches")
    palette.get_by_role("searchbox").fill("go to cl")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clients/")


def test_slash_searches_and_the_address_keeps_it(platform: Platform, visit: Visit, made: dict[str, Any]) -> None:
    page = visit("OWNER", viewport=DESK)
    page.goto(platform.url("/clients/"))
    page.keyboard.press("/")
    page.keyboard.type("Donau")
    page.wait_for_url("**/clients/?q=Donau")
    expect(page.locator("#client-table tbody tr")).to_have_count(1)
    page.reload()
    expect(page.get_by_role("searchbox", name="Search clients")).to_have_value("Donau")


def test_keys_can_be_turned_off(platform: Platform, visit: Visit) -> None:
    # A context of its own, because the browser remembers the choice.
    page = visit("OWNER", viewport=DESK, locale="en-GB")
    page.goto(platform.url("/clients/"))
    page.keyboard.press("?")
    page.get_by_role("checkbox", name="Turn single-key shortcuts off").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/invoices/", "/invoices/new/", "/settings/"])
def test_arabic_runs_from_right_to_left(platform: Platform, look: Visit, path: str) -> None:
    page = look("OWNER", viewport=DESK, locale="ar")
    page.context.add_cookies([{"name": "django_language", "value": "ar", "url": platform.url()}])
    page.goto(platform.url(path))
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    side = page.locator("#side").bounding_box()
    assert side is not None and side["x"] > DESK["width"] / 2
    page.set_viewport_size(PHONE)
    _fits(page)


def test_the_menu_of_a_phone(platform: Platform, visit: Visit) -> None:
    page = visit("OWNER", viewport=PHONE)
    page.goto(platform.url("/"))
    expect(page.get_by_role("link", name="Clients")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Clients")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Clients")).to_be_hidden()
    expect(page.get_by_role("button", name="Menu")).to_be_focused()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Clients").click()
    page.wait_for_url("**/clients/")

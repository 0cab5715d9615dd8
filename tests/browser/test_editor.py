"""The invoice editor: live totals equal the server's, one save makes one invoice, the keyboard is enough."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Platform, Visit

Lines = list[tuple[str, str, str, str]]
AWKWARD: dict[str, tuple[str, Lines, str]] = {
    # currency, lines of (quantity, unit price, tax, discount), the document's discount
    "a third of ten": ("EUR", [("0.333333", "10.00", "7", "")], ""),
    "a document's discount over three lines": (
        "EUR",
        [("1", "33.33", "19", ""), ("3", "0.05", "19", ""), ("1.5", "19.99", "19", "0.01")],
        "10.01",
    ),
    "two rates share an odd cent": ("EUR", [("1", "0.05", "19", ""), ("1", "0.05", "7", "")], "0.03"),
    "no decimals": ("JPY", [("3", "333", "10", ""), ("0.5", "1", "8", "")], "1"),
    "three decimals": ("KWD", [("2.000001", "1.234", "5", ""), ("1", "0.005", "0", "")], "0.001"),
    "thousands with a comma for decimals": ("EUR", [("1", "1.234,56", "19", "")], ""),
    "a credit beside a charge": ("EUR", [("1", "100", "19", ""), ("1", "-10.10", "7", "")], "5"),
    "a rate with decimals": ("EUR", [("7", "14.29", "5.5", "")], ""),
}


@pytest.fixture(scope="module")
def client(platform: Platform) -> dict[str, Any]:
    """A client to write to."""
    return platform.program().client("Meridian Labs")


def _write(page: Page, client: dict[str, Any], currency: str, lines: Lines, discount: str) -> None:
    page.get_by_label("Client", exact=True).select_option(client["id"])
    page.get_by_label("Currency").select_option(currency)
    for index, (quantity, price, rate, less) in enumerate(lines):
        if index:
            page.get_by_role("button", name="Add line").click()
        row = page.locator("[data-row]:visible").last
        row.get_by_label("Description").fill(f"Position {index + 1}")
        row.get_by_label("Quantity").fill(quantity)
        row.get_by_label("Unit price").fill(price)
        row.get_by_label("Tax %").fill(rate)
        row.get_by_label("Discount").fill(less)
    page.locator("[name=discount]").fill(discount)


@pytest.mark.parametrize("case", AWKWARD)
def test_the_totals_while_typing_are_those_of_the_saved_invoice(
    platform: Platform, visit: Visit, client: dict[str, Any], case: str
) -> None:
    page = visit("OWNER")
    page.goto(platform.url("/invoices/new/"))
    _write(page, client, *AWKWARD[case])
    typed = {name: page.locator(f"[data-{name}]").inner_text() for name in ("subtotal", "tax", "total")}
    rows = page.locator("[data-row]:visible output").all_inner_texts()
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url("**/invoices/*-*/")

    saved = platform.program().call("GET", f"/invoices/{page.url.rstrip('/').rsplit('/', 1)[1]}")
    sums = page.locator(".totals")
    assert sums.locator("div", has_text="Subtotal").locator("dd").inner_text() == typed["subtotal"]
    assert sums.locator(".grand dd").inner_text() == typed["total"]
    assert page.locator(".paper tbody td:last-child").all_inner_texts() == rows
    digits = {"EUR": 100, "JPY": 1, "KWD": 1000}[saved["currency"]]
    assert _number(typed["tax"]) * digits == pytest.approx(saved["tax_minor"])
    assert _number(typed["total"]) * digits == pytest.approx(saved["total_minor"])


def _number(shown: str) -> float:
    return float("".join(letter for letter in shown if letter.isdigit() or letter in ".-"))


def test_a_removed_line_does_not_count_and_is_not_saved(
    platform: Platform, visit: Visit, client: dict[str, Any]
) -> None:
    page = visit("OWNER")
    page.goto(platform.url("/invoices/new/"))
    _write(page, client, "EUR", [("1", "10", "0", ""), ("1", "20", "0", "")], "")
    expect(page.locator("[data-total]")).to_have_text("€30.00")
    page.get_by_role("button", name="Remove this line").first.click()
    expect(page.locator("[data-total]")).to_have_text("€20.00")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".totals .grand dd")).to_have_text("€20.00")


def test_two_clicks_make_one_invoice(platform: Platform, visit: Visit, client: dict[str, Any]) -> None:
    page = visit("OWNER")
    page.goto(platform.url("/invoices/new/"))
    _write(page, client, "EUR", [("1", "77.77", "0", "")], "")
    posts: list[str] = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    page.get_by_role("button", name="Save draft").dblclick()
    page.wait_for_url("**/invoices/*-*/")
    assert len(posts) == 1


def test_the_keyboard_is_enough(platform: Platform, visit: Visit, client: dict[str, Any]) -> None:
    page = visit("OWNER")
    page.goto(platform.url("/"))
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/invoices/")
    page.keyboard.press("c")
    page.wait_for_url("**/invoices/new/")
    _tab_to(page, "[name=client]")
    page.keyboard.type("Meridian")
    _tab_to(page, "[name=lines-0-description]")
    page.keyboard.type("Typed, never clicked")
    _tab_to(page, "[name=lines-0-unit_price]")
    page.keyboard.type("12.50")
    _tab_to(page, "[data-add-row]")
    page.keyboard.press("Enter")
    expect(page.locator("[name=lines-1-description]")).to_be_focused()
    page.keyboard.type("A second line")
    _tab_to(page, "[name=lines-1-unit_price]")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/invoices/*-*/")
    expect(page.locator(".totals .grand dd")).to_have_text("€16.07")

    _tab_to(page, "[data-dialog=confirm-finalize]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("[data-dialog=confirm-finalize]")).to_be_focused()


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the focus never came to {selector}")

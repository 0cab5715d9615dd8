"""From the first client to the refund, by two people in two browsers."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, Platform, Visit

OFFLINE = "ERR_INTERNET_DISCONNECTED"


def _fill_line(page: Page, description: str, quantity: str, price: str) -> None:
    page.get_by_label("Description").last.fill(description)
    page.get_by_label("Quantity").last.fill(quantity)
    page.get_by_label("Unit price").last.fill(price)


def _pay(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_label("Expiry").fill("1240")
    page.get_by_label("CVC").fill("123")
    if (name := page.get_by_label(re.compile("name", re.IGNORECASE))).count():
        name.first.fill("A. Payer")
    page.get_by_role("button", name=re.compile("^Pay ")).click()


def test_an_invoice_is_written_sent_paid_and_refunded(platform: Platform, visit: Visit, complaints: Complaints) -> None:
    complaints.expected.add("/refund/")
    owner = visit("OWNER", permissions=["clipboard-read", "clipboard-write"])
    owner.goto(platform.url("/clients/"))
    owner.keyboard.press("c")
    owner.get_by_label("Name", exact=True).fill("Ionian Yachts")
    owner.get_by_label("E-mail").fill("ap@ionian.test")
    owner.get_by_role("button", name="Save").click()
    owner.get_by_role("main").get_by_role("link", name="New invoice").click()
    expect(owner.get_by_label("Client", exact=True).locator("option:checked")).to_have_text("Ionian Yachts")
    _fill_line(owner, "Illustration set", "2", "920")
    owner.get_by_role("button", name="Add line").click()
    _fill_line(owner, "Audit", "1", "1300")
    expect(owner.locator("[data-total]")).to_have_text("€3,736.60")
    owner.get_by_role("button", name="Save and finalize").click()

    expect(owner.get_by_role("heading", level=1)).to_contain_text("Open")
    number = re.search(r"\S+-\d+", owner.get_by_role("heading", level=1).inner_text())
    assert number is not None
    owner.get_by_role("button", name="Send", exact=True).click()
    expect(owner.get_by_text("Sent to ap@ionian.test")).to_be_visible()
    assert owner.locator(".page-header [data-variant=primary]:visible").all_inner_texts() == ["Record payment"]
    owner.get_by_role("button", name="Copy payment link").click()
    expect(owner.locator(".toast").last).to_contain_text("Copied")
    link = owner.evaluate("navigator.clipboard.readText()")

    customer = visit()
    customer.goto(link)
    expect(customer.get_by_text("Ionian Yachts")).to_be_visible()
    owner.goto(platform.url("/"))
    expect(owner.locator("html")).to_have_attribute("data-live", "on")
    _pay(customer)
    customer.wait_for_url(re.compile(re.escape(link)), timeout=60_000)
    expect(customer.get_by_text("Your payment has arrived")).to_be_visible()
    expect(customer.locator(".pay-bar")).to_contain_text("€0.00")
    expect(customer.get_by_role("button", name=re.compile("^Pay "))).to_have_count(0)

    toast = owner.locator(".toast", has_text=f"Invoice {number[0]} was paid")
    expect(toast).to_be_visible()
    expect(owner.locator("[data-bell-count]")).not_to_have_text("0")
    toast.get_by_role("link").click()
    expect(owner.get_by_role("heading", level=1)).to_contain_text("Paid")
    expect(owner.get_by_role("button", name="Record payment")).to_have_count(0)

    owner.locator(".card", has_text="Amount due").get_by_role("link", name="€3,736.60").click()
    owner.get_by_role("button", name="Refund").click()
    dialog = owner.get_by_role("dialog")
    dialog.get_by_label("Amount").fill("9999")
    dialog.get_by_role("button", name="Refund").click()
    expect(dialog.get_by_text("No more than €3,736.60 of this payment is left to refund.")).to_be_visible()
    dialog.get_by_label("Amount").fill("36.60")
    dialog.get_by_role("button", name="Refund").click()
    expect(owner.get_by_role("heading", level=1)).to_contain_text("Partially refunded")


def test_who_was_offline_catches_up(platform: Platform, visit: Visit, complaints: Complaints) -> None:
    complaints.expected.add(OFFLINE)
    program = platform.program()
    invoice = program.invoice(program.client("Delmar Surf School"))
    owner = visit("OWNER")
    owner.goto(platform.url("/clients/"))
    expect(owner.locator("html")).to_have_attribute("data-live", "on")

    owner.context.set_offline(True)
    expect(owner.locator("html")).to_have_attribute("data-live", "off")
    body = {"amount_minor": invoice["total_minor"], "method": "BANK_TRANSFER", "reference": "SEPA 1"}
    program.call("POST", f"/invoices/{invoice['id']}/payments", body)
    expect(owner.locator(".toast")).to_have_count(0)
    owner.context.set_offline(False)

    expect(owner.locator(".toast", has_text=f"Invoice {invoice['number']} was paid")).to_have_count(1)
    owner.get_by_role("button", name="Notifications").click()
    expect(owner.locator("#bell")).to_contain_text(f"Invoice {invoice['number']} was paid")
    owner.locator("#bell").get_by_role("button", name="Mark all as read").click()
    expect(owner.locator("[data-bell-count]")).to_be_hidden()

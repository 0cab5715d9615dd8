"""Signing up: the workspace is prepared before one's eyes, then the dashboard is there."""

import re
import secrets

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Complaints, Platform, Visit
from tests.fixtures.plain import PLAIN
from tests.fixtures.processes import wait_until
from tests.fixtures.stack import PARTS, WORKER
from tests.fixtures.tenants import PASSWORD


def test_a_stranger_watches_his_workspace_being_prepared_and_arrives(platform: Platform, visit: Visit) -> None:
    page = visit()
    platform.stack.kill(WORKER)

    page.goto(platform.public())
    page.get_by_role("main").get_by_role("link", name="Open a workspace").click()
    tag = secrets.token_hex(3)
    for label, text in {
        "Organisation": f"Pelican {tag}",
        "First name": "Ada",
        "Last name": "Brisk",
        "E-mail": f"ada-{tag}@pelican.test",
        "Password": "Pelican-flies-1",
    }.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Open the workspace").click()
    expect(page.get_by_role("heading", name="Preparing your workspace")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()

    platform.stack.ensure(*PARTS)
    page.wait_for_url(re.compile(rf"http://pelican-{tag}\.localhost:\d+/$"), timeout=60_000)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ada")
    expect(page.get_by_role("link", name="Add a client")).to_be_visible()


def test_a_refused_form_says_what_is_wrong_beside_the_field(
    platform: Platform, visit: Visit, complaints: Complaints
) -> None:
    complaints.expected.add("status of 400")
    page = visit()
    page.goto(platform.public("/sign-up/"))
    page.get_by_label("E-mail").fill("nonsense")
    page.get_by_role("button", name="Open the workspace").click()

    field = page.get_by_label("E-mail")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert "valid e" in page.locator(f"#{field.get_attribute('aria-describedby')}").inner_text()
    expect(field).to_have_value("nonsense")


def test_who_has_two_workspaces_chooses_one(platform: Platform, visit: Visit) -> None:
    email, url = f"owner@{platform.elsewhere.slug}.test", f"{platform.stack.url}/api/v1/auth/signup"
    person = {"email": email, "password": PASSWORD, "first_name": "Ada", "last_name": "Brisk"}
    headers = {"Host": "localhost"}
    made = httpx.post(
        url, json={**person, "tenant_name": "Second House"}, headers=headers, timeout=30, verify=PLAIN
    ).json()["tenant"]
    wait_until(
        lambda: (
            httpx.get(f"{url}/{made['key']}", headers=headers, timeout=30, verify=PLAIN).json()["status"] == "ACTIVE"
        )
    )
    page = visit()
    page.goto(platform.public("/sign-in/"))
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Choose a workspace")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Second House").click()
    page.wait_for_url(re.compile(r"http://second-house\.localhost:\d+/$"))
    expect(page.get_by_role("button", name="Second House")).to_be_visible()

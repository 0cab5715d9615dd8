"""The operators' admin in a real browser, under its own content policy: no page and no form of it is stopped."""

from playwright.sync_api import expect

from tests.browser.conftest import Platform, Visit
from tests.factories.iam import operator
from tests.fixtures.tenants import PASSWORD

PAGES = ("", "iam/user/", "tenancy/tenant/", "audit/auditentry/", "iam/signinattempt/")


def test_its_pages_and_the_form_that_leads_into_a_workspace(platform: Platform, visit: Visit) -> None:
    """Whatever the policy refuses is a complaint in the console, which `visit` lets no test get away with."""
    page = visit()
    page.goto(platform.public("/admin/"))
    page.fill("[name=username]", operator())
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(platform.public("/admin/"))
    for path in PAGES:
        answer = page.goto(platform.public(f"/admin/{path}"), wait_until="load")
        assert answer is not None and answer.status == 200, path
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self' 'unsafe-eval'" in policy, path
        assert f"http://*.localhost:{platform.stack.port}" in policy, path
        # Alpine, which Unfold's pages are moved by, has started under that policy.
        page.wait_for_function("window.Alpine !== undefined && document.querySelector('[x-cloak]') === null")
    person = f"member@{platform.here.slug}.test"
    page.goto(platform.public(f"/admin/iam/user/?q={person}"))
    page.locator("#result_list tbody a").first.click()
    page.goto(page.url.split("change/")[0] + "impersonate/")
    page.fill("[name=reason]", "He asked for help with an invoice")
    page.locator("form:has([name=reason]) button").click()
    page.wait_for_url(platform.url("/**"))
    expect(page.locator(".impersonating")).to_be_visible()
    page.locator(".impersonating button").click()
    page.wait_for_url(platform.public("/admin/iam/user/**"))

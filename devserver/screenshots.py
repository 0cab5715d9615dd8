"""A picture of every page: light, dark, phone and right-to-left, of a running platform with the demo in it."""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

PASSWORD = "Insula-demo-1"  # noqa: S105
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1360, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1360, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True, "is_mobile": True},
    "rtl": {"viewport": {"width": 1360, "height": 900}, "color_scheme": "light", "locale": "ar"},
}
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def chromium() -> str | None:
    """The browser that the machine has."""
    return shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


class Album:
    """Pictures of one look."""

    def __init__(self, browser: Browser, look: str, target: Path, port: str) -> None:
        self.look, self.target = look, target
        self.platform = f"http://localhost:{port}"
        self.tenant = f"http://northwind.localhost:{port}"
        context = browser.new_context(reduced_motion="reduce", **LOOKS[look])
        if language := LOOKS[look].get("locale"):
            urls = (self.platform, self.tenant)
            context.add_cookies([{"name": "django_language", "value": str(language), "url": url} for url in urls])
        self.page: Page = context.new_page()

    def take(self, name: str, url: str = "", *, whole: bool = True) -> None:
        """One picture, at `url` or where the browser is; of what fits the window unless of the whole page."""
        if url:
            self.page.goto(url)
        self.page.wait_for_load_state("load")
        self.page.screenshot(path=self.target / f"{name}-{self.look}.png", full_page=whole)

    def all(self) -> None:
        """Every page."""
        self.take("landing", self.platform)
        self.take("sign-up", f"{self.platform}/sign-up/")
        self.take("platform-sign-in", f"{self.platform}/sign-in/")
        self.take("sign-in", f"{self.tenant}/sign-in/")
        self.page.fill("[name=email]", "owner@northwind.localhost")
        self.page.fill("[name=password]", PASSWORD)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url(f"{self.tenant}/")
        self.take("dashboard")
        for name in (
            "invoices",
            "invoices/new",
            "clients",
            "clients/new",
            "payments",
            "audit",
            "settings",
            "settings/region",
            "settings/tax-ids",
            "settings/numbers",
            "settings/domains",
            "settings/brands",
            "settings/brands/new",
            "notifications",
        ):
            self.take(name.replace("/", "-"), f"{self.tenant}/{name}/")
        self.take("invoices-empty", f"{self.tenant}/invoices/?q=nothing-has-this-name")
        self.follow("invoices/?status=draft", "invoice-draft")
        self.follow("invoices/?status=paid", "invoice-paid")
        self.follow("payments", "payment")
        self.follow("clients", "client")
        self.follow("audit", "audit-entry")
        self.follow("invoices/?status=open", "invoice-open")
        self.opened()
        hosted = self.page.get_attribute("a[target=_blank][href*='/i/']", "href")
        self.take("hosted", hosted or "")
        self.take("not-found", f"{self.tenant}/nothing-here/")

    def follow(self, path: str, name: str) -> None:
        """The first row of a list."""
        self.page.goto(f"{self.tenant}/{path}")
        link = self.page.get_attribute("tbody a.row-link", "href") or ""
        self.take(name, re.sub(r"^/", f"{self.tenant}/", link))

    def opened(self) -> None:
        """What opens above an open invoice's page: a dialog, the bell, the palette, the menu of a phone."""
        self.page.locator("[data-dialog=record-payment]").click()
        self.take("dialog", whole=False)
        self.page.keyboard.press("Escape")
        self.page.locator("[data-bell-button]").click()
        self.page.locator("#bell li").first.wait_for()
        self.take("bell", whole=False)
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+k")
        self.take("palette", whole=False)
        self.page.keyboard.press("Escape")
        if self.look == "phone":
            self.page.locator("[data-toggle=side]").click()
            self.take("menu", whole=False)
            self.page.keyboard.press("Escape")
        self.page.emulate_media(media="print")
        self.take("print")
        self.page.emulate_media(media="screen")

    def admin(self) -> None:
        """The operators' pages."""
        self.page.goto(f"{self.platform}/admin/")
        self.page.fill("[name=email], [name=username]", "operator@insula.localhost")
        self.page.fill("[name=password]", PASSWORD)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url(f"{self.platform}/admin/")
        self.take("admin")
        for name in ("tenancy/tenant", "iam/user", "audit/auditentry", "payments/gatewayevent"):
            self.take(f"admin-{name.split('/')[1]}", f"{self.platform}/admin/{name}/")


def main() -> int:
    """Fill the folder ``screenshots``; says so when there is no browser."""
    executable = chromium()
    if executable is None:
        print("No Chromium on this machine: no pictures.", file=sys.stderr)
        return 1
    target = Path(os.environ.get("SCREENSHOTS", "screenshots"))
    target.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        for look in sys.argv[1:] or LOOKS:
            album = Album(browser, look, target, os.environ.get("PORT", "8000"))
            album.all()
            if look in ("light", "dark"):
                album.admin()
        browser.close()
    print(f"{len(list(target.glob('*.png')))} pictures in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A picture of every page: light, dark, phone and right-to-left, of a running platform with the demo in it."""

import os
import re
import secrets
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from apps.iam import totp

PASSWORD = "Insula-demo-1"  # noqa: S105
INSIDE = (
    "invoices",
    "invoices/new",
    "clients",
    "clients/new",
    "payments",
    "audit",
    "team",
    "team/?status=BANNED",
    "team/roles",
    "team/roles/new",
    "account",
    "account/security",
    "account/two-step",
    "account/two-step/app",
    "account/organisations",
    "account/confirm",
    "settings",
    "settings/region",
    "settings/tax-ids",
    "settings/numbers",
    "settings/domains",
    "settings/brands",
    "settings/brands/new",
    "settings/sign-in",
    "settings/api-keys",
    "settings/api-keys/new",
    "settings/webhooks",
    "settings/webhooks/new",
    "settings/webhooks/deliveries",
    "settings/sso",
    "settings/directory",
    "settings/data",
    "settings/danger",
    "notifications",
)
ADMIN = (
    "tenancy/tenant",
    "tenancy/schemareport",
    "archives/archivejob",
    "archives/archivejob/import",
    "iam/user",
    "iam/invitation",
    "iam/signingkey",
    "iam/signinattempt",
    "iam/signinguard",
    "iam/apikey",
    "iam/ssoconnection",
    "iam/scimtoken",
    "audit/auditentry",
    "payments/gatewayevent",
    "notifications/emaildelivery",
)
WAIT_SECONDS = 60
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
        self.browser, self.look, self.target = browser, look, target
        self.platform = f"http://localhost:{port}"
        self.tenant = f"http://northwind.localhost:{port}"
        self.mail = Path(os.environ.get("INSULA_DATA", ".data")).resolve() / "mail"
        self.page = self.visitor()

    def visitor(self) -> Page:
        """A browser that nobody is signed in with."""
        context = self.browser.new_context(reduced_motion="reduce", **LOOKS[self.look])
        if language := LOOKS[self.look].get("locale"):
            urls = (self.platform, self.tenant)
            context.add_cookies([{"name": "django_language", "value": str(language), "url": url} for url in urls])
        return context.new_page()

    def take(self, name: str, url: str = "", *, whole: bool = True) -> None:
        """One picture, at `url` or where the browser is; of what fits the window unless of the whole page."""
        if url:
            self.page.goto(url)
        self.page.wait_for_load_state("load")
        self.page.screenshot(path=self.target / f"{name}-{self.look}.png", full_page=whole)

    def all(self) -> None:
        """Every page."""
        self.outside()
        self.enter("owner")
        self.take("dashboard")
        for name in INSIDE:
            path = name if "?" in name else f"{name}/"
            self.take(re.sub(r"\W+", "-", name), f"{self.tenant}/{path}")
        self.take("invoices-empty", f"{self.tenant}/invoices/?q=nothing-has-this-name")
        self.follow("invoices/?status=draft", "invoice-draft")
        self.follow("invoices/?status=paid", "invoice-paid")
        self.follow("payments", "payment")
        self.follow("clients", "client")
        self.stale()
        self.follow("audit", "audit-entry")
        self.follow("team", "member")
        self.follow("team/roles", "role")
        self.follow("settings/webhooks", "webhook-endpoint")
        self.follow("settings/webhooks/deliveries", "webhook-delivery")
        self.shown_once()
        self.invited()
        self.follow("invoices/?status=open", "invoice-open")
        self.opened()
        hosted = self.page.get_attribute("a[target=_blank][href*='/i/']", "href")
        self.take("hosted", hosted or "")
        self.take("not-found", f"{self.tenant}/nothing-here/")
        self.second_step()

    def outside(self) -> None:
        """What is there for somebody who is not signed in."""
        for name, path in {"landing": "", "sign-up": "sign-up/", "platform-sign-in": "sign-in/"}.items():
            self.take(name, f"{self.platform}/{path}")
        self.take("sign-in-organisation", f"{self.platform}/sign-in/organisation/")
        self.take("no-workspace", self.platform.replace("localhost", "nobody.localhost"))
        self.take("verify-email-dead", f"{self.tenant}/verify-email/?token=nothing")
        self.take("sign-in", f"{self.tenant}/sign-in/")
        self.take("forgot-password", f"{self.tenant}/forgot-password/")
        self.page.fill("[name=email]", "accountant@northwind.localhost")
        self.page.press("[name=email]", "Enter")
        self.page.wait_for_load_state("load")
        self.take("forgot-password-sent")
        self.take("reset-password", f"{self.tenant}/reset-password/?token=nothing")

    def enter(self, who: str, page: Page | None = None) -> None:
        """Sign in to the workspace and wait for what comes next."""
        page = page or self.page
        status = 429
        while status == 429:
            page.goto(f"{self.tenant}/sign-in/")
            page.fill("[name=email]", f"{who}@northwind.localhost")
            page.fill("[name=password]", PASSWORD)
            with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
                page.press("[name=password]", "Enter")
            status = answer.value.status
            if status == 429:
                # One address may sign in so often a minute, and the looks come one after another.
                time.sleep(int(answer.value.headers["retry-after"]))
        page.wait_for_url(lambda url: not url.endswith("/sign-in/"))

    def mails(self) -> set[Path]:
        """What has been sent so far."""
        return set(self.mail.glob("*"))

    def link(self, known: set[Path], email: str, pattern: str) -> str:
        """The first address like `pattern` in a mail to `email` that came after `known`."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            for file in self.mails() - known:
                text = file.read_text(errors="replace").replace("=\n", "").replace("=3D", "=")
                if email in text and (found := re.search(pattern, text)):
                    return found.group().rstrip('>"')
            time.sleep(0.2)
        raise TimeoutError(f"no mail to {email} with {pattern} in {self.mail}")

    def stale(self) -> None:
        """A form that somebody else was quicker to save."""
        edit = f"{self.page.url}edit/"
        other = self.page.context.new_page()
        self.page.goto(edit)
        other.goto(edit)
        other.fill("[name=notes]", f"Pays by transfer ({secrets.token_hex(2)})")
        other.locator("main form[data-guard] button[type=submit]").last.click()
        other.wait_for_url(lambda url: url != edit)
        other.close()
        self.page.fill("[name=notes]", "Wants paper, too")
        self.page.locator("main form[data-guard] button[type=submit]").last.click()
        self.page.locator("[data-tone=warning]").wait_for()
        self.take("stale")

    def shown_once(self) -> None:
        """Secrets that are shown once: a webhook endpoint's, an API key's and a directory token's."""
        self.page.goto(f"{self.tenant}/settings/webhooks/new/")
        self.page.fill("[name=url]", "https://warehouse.example/hooks")
        self.page.locator("[name=event_types]").nth(1).check()
        self.page.locator("main form[data-guard] button[type=submit]").click()
        self.page.locator("[data-copy]").wait_for()
        self.take("webhook-secret")
        self.page.locator("main .form-actions a").click()
        self.page.locator("[data-dialog=remove]").click()
        with self.page.expect_navigation():
            self.page.locator("dialog[open] [type=submit]").last.click()
        self.page.goto(f"{self.tenant}/settings/api-keys/new/")
        self.page.fill("[name=name]", "Warehouse export")
        self.page.locator("[name=scopes]").first.check()
        self.page.locator("main form[data-guard] button[type=submit]").click()
        self.take("api-key-secret")
        self.take("settings-api-keys-filled", f"{self.tenant}/settings/api-keys/")
        self.page.goto(f"{self.tenant}/settings/directory/")
        self.page.fill("[name=name]", "Okta")
        self.page.press("[name=name]", "Enter")
        self.page.locator("[data-copy]").first.wait_for()
        self.take("directory-secret")
        self.take("settings-directory-filled", f"{self.tenant}/settings/directory/")
        for page in ("api-keys", "directory"):
            self.page.goto(f"{self.tenant}/settings/{page}/")
            self.page.locator("[data-dialog^=revoke-]").first.click()
            with self.page.expect_navigation():
                self.page.locator("dialog[open] [type=submit]").last.click()

    def invited(self) -> None:
        """The invitation of somebody new and of somebody who has an account, seen by each."""
        for name, email in (
            ("new", f"new-{secrets.token_hex(3)}@example.test"),
            ("existing", "operator@insula.localhost"),
        ):
            known = self.mails()
            self.page.goto(f"{self.tenant}/team/")
            self.page.locator("[data-dialog=invite]").click()
            self.page.fill("#invite [name=email]", email)
            if name == "new":
                self.take("invite", whole=False)
            self.page.locator("#invite [type=submit]").click()
            self.page.get_by_role("cell", name=email).wait_for()
            link = self.link(known, email, r"http\S+/invitations/[\w-]+/?")
            if name == "new":
                self.take("team-invited")
            mine, self.page = self.page, self.visitor()
            self.take(f"invitation-{name}", link)
            self.page.context.close()
            self.page = mine
            row = self.page.get_by_role("row").filter(has_text=email)
            row.locator("form[action$='/revoke/'] button").click()
            row.wait_for(state="detached")
        self.take("invitation-dead", link)

    def second_step(self) -> None:
        """Somebody sets up an app and a passkey, signs in with a recovery code and takes all of it away again."""
        mine, self.page = self.page, self.visitor()
        devtools = self.page.context.new_cdp_session(self.page)
        devtools.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        device = {"options": options | {"isUserVerified": True, "automaticPresenceSimulation": True}}
        devtools.send("WebAuthn.addVirtualAuthenticator", device)
        two_step = f"{self.tenant}/account/two-step/"
        self.enter("viewer")
        self.page.goto(f"{two_step}app/")
        if not self.page.locator(".enrolment").count():
            print("The demo's viewer has a second step already: no pictures of setting it up.", file=sys.stderr)
            self.page.context.close()
            self.page = mine
            return
        seed = self.page.get_attribute(".enrolment [data-copy]", "data-copy") or ""
        self.page.fill("[name=code]", totp.code_at(seed, totp.step_at(datetime.now(UTC))))
        self.page.press("[name=code]", "Enter")
        self.page.locator(".codes").wait_for()
        self.take("recovery-codes")
        code = self.page.locator(".codes code").first.inner_text()
        self.page.goto(two_step)
        self.page.fill("#passkey-name", "My laptop")
        self.page.locator("#passkey-name ~ button, form:has(#passkey-name) button").last.click()
        self.page.locator("main tbody tr").wait_for()
        self.take("two-step-on", two_step)
        self.take("confirm-with-factors", f"{self.tenant}/account/confirm/")
        self.page.context.clear_cookies(name=re.compile("^(?!django_language)"))
        self.enter("viewer")
        self.take("second-step")
        self.page.locator("a[href*=recovery]").click()
        self.page.wait_for_url("**recovery**")
        self.take("second-step-recovery")
        self.page.fill("[name=code]", code)
        self.page.press("[name=code]", "Enter")
        self.page.wait_for_url(f"{self.tenant}/")
        for dialog in ("[data-dialog^=remove-]:not([data-dialog=remove-app])", "[data-dialog=remove-app]"):
            self.page.goto(two_step)
            self.page.locator(dialog).click()
            with self.page.expect_navigation():
                self.page.locator("dialog[open] [type=submit]").last.click()
        self.page.context.close()
        self.page = mine

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
        self.page.evaluate("document.querySelector('[data-idle]').showModal()")
        self.take("idle", whole=False)
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
        for name in ADMIN:
            self.take(f"admin-{name.split('/', 1)[1].replace('/', '-')}", f"{self.platform}/admin/{name}/")
        self.page.goto(f"{self.platform}/admin/tenancy/tenant/?q=northwind")
        self.page.locator("#result_list tbody a").first.click()
        self.take("admin-organisation")
        self.look_inside(self.page.url.split("change/")[0])
        self.page.goto(f"{self.platform}/admin/iam/user/?q=owner@northwind")
        self.page.locator("#result_list tbody a").first.click()
        self.take("admin-person")
        person = self.page.url.split("change/")[0]
        self.take("admin-password", f"{person}temporary-password/")
        self.take("admin-impersonate", f"{person}impersonate/")
        self.page.fill("[name=reason]", "The owner asked for help with an invoice")
        self.page.locator("form:has([name=reason]) button").click()
        self.page.wait_for_url(f"{self.tenant}/**")
        self.page.locator(".impersonating").wait_for()
        self.take("impersonating")
        self.take("impersonating-closed", f"{self.tenant}/account/security/")
        self.page.goto(self.tenant)
        self.page.locator(".impersonating button").click()
        self.page.wait_for_load_state("load")

    def look_inside(self, organisation: str) -> None:
        """What operators see of one organisation after they have said why."""
        self.take("admin-look-inside", f"{organisation}confirm/enter/")
        self.page.fill("[name=reason]", "The owner asked for help with an invoice")
        self.page.locator("form:has([name=reason]) button").click()
        self.page.wait_for_url("**/admin/invoices/invoice/")
        self.take("admin-invoice")
        self.page.goto(f"{self.platform}/admin/tenancy/tenant/leave/")
        with self.page.expect_navigation():
            self.page.locator("main form button, #content form button").last.click()


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

"""People in front of the running product: each has a browser context that must not complain about anything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    StorageState,
    expect,
    sync_playwright,
)

from apps.iam.models import User
from apps.tenancy import selectors as tenancy
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from devserver.screenshots import CHROMIUM_ARGUMENTS, chromium
from tests.fixtures.plain import PLAIN
from tests.fixtures.stack import PARTS, Stack
from tests.fixtures.tenants import PASSWORD, provision, remove

HERE = Path(__file__).parent
# What a worker brings comes late on a busy machine.
expect.set_options(timeout=60_000)
PATIENCE = 45_000  # milliseconds for a page
LOOK = {"locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here, and say why it is left out without a browser."""
    without = pytest.mark.skip(reason="no Chromium on this machine: the pages are not looked at")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if chromium() is None:
                item.add_marker(without)


@dataclass(frozen=True)
class Program:
    """A member's program: arranges through the API what a story needs to start from."""

    stack: Stack
    headers: dict[str, str]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API; what is refused fails the test."""
        url = f"{self.stack.url}/api/v1{path}"
        answer = httpx.request(method, url, json=body, headers=self.headers, timeout=30, verify=PLAIN)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def client(self, name: str, **more: Any) -> dict[str, Any]:
        """A client of the organisation."""
        made: dict[str, Any] = self.call("POST", "/clients", {"name": name, "email": "ap@client.test", **more})
        return made

    def invoice(self, client: dict[str, Any], *, finalized: bool = True, price_minor: int = 10_000) -> dict[str, Any]:
        """An invoice over one line at 19 %."""
        line = {"description": "Consulting", "quantity": "1", "unit_price_minor": price_minor, "tax_rate": "19"}
        body = {"client_id": client["id"], "currency": "EUR", "due_date": "2999-12-31", "lines": [line]}
        made: dict[str, Any] = self.call("POST", "/invoices", body)
        return self.call("POST", f"/invoices/{made['id']}/finalize") if finalized else made


@dataclass(frozen=True)
class Platform:
    """The running product with two organisations that have a member in each role."""

    stack: Stack
    here: TenantView
    elsewhere: TenantView
    _states: dict[str, StorageState] = field(default_factory=dict)

    def url(self, path: str = "/", tenant: TenantView | None = None) -> str:
        """A page of the first organisation, or of another."""
        return self.stack.url_of(tenant or self.here, path)

    def public(self, path: str = "/") -> str:
        """A page of the platform itself."""
        return f"http://localhost:{self.stack.port}{path}"

    def program(self, role: str = "OWNER", tenant: TenantView | None = None) -> Program:
        """A program with that member's token."""
        tenant = tenant or self.here
        body = {"email": f"{role.lower()}@{tenant.slug}.test", "password": PASSWORD, "tenant": tenant.key}
        headers = {"Host": "localhost"}
        answer = httpx.post(
            f"{self.stack.url}/api/v1/auth/signin", json=body, headers=headers, timeout=30, verify=PLAIN
        )
        assert answer.is_success, answer.text
        return Program(self.stack, headers | {"Authorization": f"Bearer {answer.json()['access']}"})

    def state(self, browser: Browser, role: str) -> StorageState:
        """The cookies of a member who signed in by the form, once a run."""
        if role not in self._states:
            with browser.new_context(**LOOK) as context:  # type: ignore[arg-type]
                page = context.new_page()
                page.goto(self.url("/sign-in/"))
                page.get_by_label("E-mail").fill(f"{role.lower()}@{self.here.slug}.test")
                page.get_by_label("Password").fill(PASSWORD)
                page.keyboard.press("Enter")
                page.wait_for_url(self.url())
                self._states[role] = context.storage_state()
        return self._states[role]


@pytest.fixture(scope="package")
def platform(stack_processes: Stack, django_db_blocker: Any) -> Iterator[Platform]:
    """Everything running, with organisations of its own, so that what the stories do is nobody else's."""
    with django_db_blocker.unblock():
        tenants = set(Tenant.objects.values_list("pk", flat=True))
        users = set(User.objects.values_list("pk", flat=True))
        stack_processes.ensure(*PARTS)
        stack_processes.sandbox.control("reset")
        stack_processes.listen_to_stripe()
        yield Platform(stack_processes, provision("Halcyon Studio"), provision("Borealis Works"))
        stack_processes.sandbox.control("reset")
        for row in Tenant.objects.exclude(pk__in=tenants):
            remove(tenancy.view(row))
        User.objects.exclude(pk__in=users).delete()


@pytest.fixture(scope="package")
def browser(platform: Platform) -> Iterator[Browser]:
    """One headless Chromium. Its event loop must end with this package: Django refuses its database inside of one."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        yield launched
        launched.close()


@dataclass
class Complaints:
    """What browsers reported. A test that provokes a report says so by a part of its text."""

    expected: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Note errors of scripts, of the network and of the content policy."""
        page.on("console", self._console)
        page.on("pageerror", self._error)

    def leave(self, page: Page) -> None:
        """What is reported from now on is for the next who listens."""
        page.remove_listener("console", self._console)
        page.remove_listener("pageerror", self._error)

    def _console(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.found.append(f"{line.text} {line.location}")

    def _error(self, error: Error) -> None:
        self.found.append(str(error))

    def unexpected(self) -> list[str]:
        """Those that no test asked for."""
        return [text for text in self.found if not any(part in text for part in self.expected)]


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Empty at the end, or the test fails."""
    noted = Complaints()
    yield noted
    assert noted.unexpected() == []


class Contexts:
    """A browser context for each kind of visitor, kept so that styles and scripts are fetched once."""

    def __init__(self, platform: Platform, browser: Browser) -> None:
        self._platform, self._browser = platform, browser
        self._kept: dict[str, BrowserContext] = {}
        self._tabs: dict[str, Page] = {}

    def of(self, role: str, options: dict[str, Any]) -> BrowserContext:
        """The context of a member in `role` (nobody without one) with these options of Playwright's."""
        key = _key(role, options)
        if key not in self._kept:
            state = self._platform.state(self._browser, role) if role else None
            self._kept[key] = self._browser.new_context(**{**LOOK, "storage_state": state, **options})
        return self._kept[key]

    def tab(self, role: str, options: dict[str, Any]) -> Page:
        """The one tab of such a context that stays open."""
        key = _key(role, options)
        if key not in self._tabs:
            self._tabs[key] = self.of(role, options).new_page()
            self._tabs[key].set_default_timeout(PATIENCE)
        return self._tabs[key]


def _key(role: str, options: dict[str, Any]) -> str:
    return repr((role, sorted(options.items())))


@pytest.fixture(scope="package")
def contexts(platform: Platform, browser: Browser) -> Contexts:
    """Closed with the browser."""
    return Contexts(platform, browser)


Visit = Callable[..., Page]


@pytest.fixture
def visit(contexts: Contexts, complaints: Complaints) -> Iterator[Visit]:
    """``visit(role)`` is an empty tab of that member, ``visit()`` one of a stranger; options go to its context."""
    pages: list[Page] = []

    def tab(role: str = "", **options: Any) -> Page:
        pages.append(contexts.of(role, options).new_page())
        complaints.listen(pages[-1])
        pages[-1].set_default_timeout(PATIENCE)
        return pages[-1]

    yield tab
    for page in pages:
        page.close()


@pytest.fixture
def look(contexts: Contexts, complaints: Complaints) -> Iterator[Visit]:
    """As `visit`, in a tab that stays open: for tests that look and leave nothing in it. A new tab is a new process."""
    pages: list[Page] = []

    def tab(role: str = "", **options: Any) -> Page:
        page = contexts.tab(role, options)
        page.set_viewport_size(options["viewport"])
        page.emulate_media(color_scheme=options.get("color_scheme", "light"))
        pages.append(page)
        complaints.listen(page)
        return page

    yield tab
    for page in pages:
        page.goto("about:blank")
        complaints.leave(page)

"""Forms that somebody overtook: nothing typed is lost, the page says who changed what, saving again is a decision."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from apps.iam.models import User
from apps.invoices import selectors, series, services
from apps.tenancy import brands, profile
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import DUE, line, make_client, make_draft
from tests.fixtures.clients import BrowserFor
from tests.fixtures.tenants import PASSWORD, actor_of, in_tenant
from tests.fixtures.threads import at_once

NewTenant = Callable[[str], TenantView]
VERSION = re.compile(r'name="version" value="([^"]+)"')


@dataclass
class Case:
    """A form: what is sent, what somebody else does meanwhile, and what the page then tells of it."""

    path: str
    typed: dict[str, Any]
    meanwhile: Callable[[], Any]
    told: str
    shown: list[str] = field(default_factory=list)


def cases(tenant: TenantView) -> dict[str, Case]:
    admin = actor_of(tenant, "ADMIN")
    with in_tenant(tenant):
        client, draft = make_client(admin, phone="1"), make_draft(admin, notes="old")
    brand = brands.create_brand(actor=admin, values={"name": "Harbour"})
    assert brand.id is not None
    typed_line = {"description": "Sails", "quantity": "3", "unit_price": "50.00", "tax_rate": "19", "discount": ""}
    count = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "1", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "500"}
    return {
        "client": Case(
            f"/clients/{client.id}/edit/",
            {"name": "Typed Ltd", "email": client.email, "phone": "9", "currency": "EUR", "locale": "en"},
            lambda: services.update_client(actor=admin, client_id=client.id, changes={"phone": "2"}),
            "Phone: <b>2</b>",
            ['value="Typed Ltd"', 'value="9"'],
        ),
        "invoice": Case(
            f"/invoices/{draft.id}/edit/",
            {
                "client": str(draft.client.id),
                "currency": "EUR",
                "due_date": DUE.isoformat(),
                "notes": "typed",
                **{f"lines-{name}": value for name, value in count.items()},
                **{f"lines-0-{name}": value for name, value in typed_line.items()},
            },
            lambda: services.update_invoice(
                actor=admin, invoice_id=draft.id, changes={"notes": "theirs", "lines": (line(description="Rope"),)}
            ),
            "Lines: <b>2 × Rope: 50.00</b>",
            ["typed</textarea>", 'value="Sails"', "Notes: <b>theirs</b>"],
        ),
        "organisation": Case(
            "/settings/",
            {"name": tenant.name, "legal_name": "Typed Ltd"},
            lambda: profile.update_settings(actor=admin, changes={"legal_name": "Theirs Ltd"}),
            "Legal name: <b>Theirs Ltd</b>",
            ['value="Typed Ltd"'],
        ),
        "region": Case(
            "/settings/region/",
            {"currency": "SEK", "locale": "en", "time_zone": "UTC"},
            lambda: profile.update_settings(actor=admin, changes={"locale": "de"}),
            "Language: <b>German</b>",
            ['value="SEK"'],
        ),
        "brand": Case(
            f"/settings/brands/{brand.id}/",
            {"name": "Typed", "accent": "#0f766e"},
            lambda: brands.update_brand(actor=admin, brand_id=brand.id, changes={"name": "Theirs"}),
            "Name: <b>Theirs</b>",
            ['value="Typed"'],
        ),
        "numbers": Case(
            "/settings/numbers/",
            {"kind": "INVOICE", "pattern": "TYPED-{year}-{seq}", "first_seq": "1"},
            lambda: series.update_series(actor=admin, kind="INVOICE", pattern="THEIRS-{year}-{seq}"),
            "Pattern: <b>THEIRS-{year}-{seq}</b>",
            ['value="TYPED-{year}-{seq}"'],
        ),
    }


NAMES = ["client", "invoice", "organisation", "region", "brand", "numbers"]


@pytest.mark.parametrize("name", NAMES)
def test_a_form_that_was_overtaken(acme: TenantView, browser_client: BrowserFor, name: str) -> None:
    User.objects.filter(email="admin@acme.test").update(first_name="Ada", last_name="Lovelace")
    case, browser = cases(acme)[name], browser_client(acme)
    opened = VERSION.findall(browser.get(case.path).content.decode())[0]
    with in_tenant(acme):
        case.meanwhile()
    answer = browser.post(case.path, {**case.typed, "version": opened})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Ada Lovelace changed this on" in page
    for text in (case.told, *case.shown):
        assert text in page, text
    present = VERSION.findall(page)[0]
    assert present != opened
    assert browser.post(case.path, {**case.typed, "version": present}).status_code == 302


def test_a_form_that_names_no_version_is_saved(acme: TenantView, browser_client: BrowserFor) -> None:
    case, browser = cases(acme)["client"], browser_client(acme)
    with in_tenant(acme):
        case.meanwhile()
    assert browser.post(case.path, case.typed).status_code == 302


def test_a_form_of_some_settings_is_not_overtaken_by_others(acme: TenantView, browser_client: BrowserFor) -> None:
    case, browser = cases(acme)["region"], browser_client(acme)
    opened = VERSION.findall(browser.get(case.path).content.decode())[0]
    with in_tenant(acme):
        profile.update_settings(actor=actor_of(acme, "ADMIN"), changes={"legal_name": "Theirs Ltd"})
    assert browser.post(case.path, {**case.typed, "version": opened}).status_code == 302


def test_what_was_typed_into_a_draft_stays_when_it_was_issued(acme: TenantView, browser_client: BrowserFor) -> None:
    case, browser = cases(acme)["invoice"], browser_client(acme)
    opened = VERSION.findall(browser.get(case.path).content.decode())[0]
    with in_tenant(acme):
        invoice_id = case.path.split("/")[2]
        services.finalize_invoice(actor=actor_of(acme), invoice_id=invoice_id)  # type: ignore[arg-type]
    answer = browser.post(case.path, {**case.typed, "version": opened})
    assert (answer.status_code, b'value="Sails"' in answer.content) == (400, True)


def test_of_forms_sent_at_the_same_moment_one_is_saved(committed: NewTenant) -> None:
    tenant = committed("Two Forms")
    case = cases(tenant)["client"]
    browsers = []
    for role in ("OWNER", "ADMIN", "MEMBER"):
        browser = Client(SERVER_NAME=tenant.host)
        browser.post("/sign-in/", {"email": f"{role.lower()}@{tenant.slug}.test", "password": PASSWORD})
        browsers.append(browser)
    opened = VERSION.findall(browsers[0].get(case.path).content.decode())[0]

    def save(number: int) -> int:
        typed = {**case.typed, "phone": f"555-{number}", "version": opened}
        answer = browsers[number].post(case.path, typed)
        assert answer.status_code == 302 or f'value="555-{number}"' in answer.content.decode()
        return answer.status_code

    answers: list[Any] = at_once([lambda number=number: save(number) for number in range(3)])
    assert sorted(answers) == [302, 409, 409]
    with in_tenant(tenant):
        saved = selectors.list_clients(actor=actor_of(tenant), page=selectors.PageRequest()).rows
    assert any(row.client.phone == f"555-{answers.index(302)}" for row in saved)

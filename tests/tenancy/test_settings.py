"""The organisation's own words: saved, audited, refused with a reason, and never another tenant's."""

from typing import Any

import pytest

from apps.audit.models import AuditEntry
from apps.core.errors import PermissionRefused, ValidationFailed
from apps.tenancy import profile, selectors
from apps.tenancy.errors import NameTaken
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import actor_of, in_tenant


def test_what_is_saved_is_there_and_in_the_trail(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    values = {"name": "Acme", "legal_name": "Acme  GmbH", "address": "Ring 1\r\nBerlin", "email": "a@acme.test"}
    assert client.post("/settings/", values).status_code == 302
    region = {"currency": "usd", "locale": "de", "time_zone": "Asia/Tokyo"}
    assert client.post("/settings/region/", region).status_code == 302

    found = selectors.tenant_by_id(acme.id)
    assert (found.legal_name, found.currency, found.locale, found.time_zone) == ("Acme GmbH", "USD", "de", "Asia/Tokyo")
    entry = AuditEntry.objects.filter(tenant_id=acme.id, action="tenancy.tenant.update").latest("id")
    assert (entry.before["currency"], entry.after["currency"]) == ("EUR", "USD")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", "a\x00b"),
        ("legal_name", "\u202ea"),
        ("address", "x" * 501),
        ("address", "\x00"),
        ("email", "nobody"),
        ("currency", "XYZ"),
        ("currency", ""),
        ("locale", "xx"),
        ("time_zone", "Mars/Olympus"),
    ],
)
def test_bad_values_are_told(acme: TenantView, name: str, value: str) -> None:
    with in_tenant(acme), pytest.raises(ValidationFailed) as refused:
        profile.update_settings(actor=actor_of(acme), changes={name: value})
    assert refused.value.errors[0].field == name


def test_another_organisations_name_is_taken(acme: TenantView, globex: TenantView) -> None:
    with in_tenant(acme), pytest.raises(NameTaken):
        profile.update_settings(actor=actor_of(acme), changes={"name": globex.name})


def test_programs_change_the_tenant(acme: TenantView, api: ApiFor) -> None:
    answer: Any = api(acme).patch("/api/v1/tenant", {"legal_name": "Acme Ltd", "currency": "GBP"})

    assert (answer.status_code, answer.json()["legal_name"], answer.json()["currency"]) == (200, "Acme Ltd", "GBP")
    assert api(acme).patch("/api/v1/tenant", {"currency": "XYZ"}).json()["errors"][0]["field"] == "currency"


@pytest.mark.parametrize("role", ["ACCOUNTANT", "MEMBER", "VIEWER"])
def test_who_may_not(acme: TenantView, role: str) -> None:
    with in_tenant(acme), pytest.raises(PermissionRefused):
        profile.update_settings(actor=actor_of(acme, role), changes={"currency": "USD"})

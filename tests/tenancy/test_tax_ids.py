"""Tax numbers: checked by their country's rules, printed together, each refusal with its reason."""

import pytest

from apps.core.errors import NotFound, PermissionRefused, ValidationFailed
from apps.tenancy import selectors, tax_ids
from apps.tenancy.errors import TooMany
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import actor_of, in_tenant


@pytest.mark.parametrize(
    ("kind", "typed", "plain"),
    [
        ("de_vat", "DE 136 695 976", "DE136695976"),
        ("de_vat", "136695976", "DE136695976"),
        ("el_vat", "EL094259216", "EL094259216"),
        ("at_vat", "ATU13585627", "ATU13585627"),
        ("gb_vat", "GB 980 7806 84", "980780684"),
        ("us_ein", "91-1144442", "911144442"),
        ("au_abn", "83 914 571 673", "83914571673"),
        ("other", "  HRB   12345 ", "HRB 12345"),
    ],
)
def test_a_number_in_its_plain_form(kind: str, typed: str, plain: str) -> None:
    assert tax_ids.checked(kind, typed) == plain


@pytest.mark.parametrize(
    ("kind", "typed", "code"),
    [
        ("de_vat", "DE136695977", "checksum"),
        ("de_vat", "DE13669597", "length"),
        ("de_vat", "DE13669597X", "format"),
        ("fr_vat", "DE136695976", "component"),
        ("de_vat", "", "required"),
        ("de_vat", "9" * 400, "max_length"),
        ("other", "a\x00b", "max_length"),
        ("other", "\u202e1", "max_length"),
        ("xx_vat", "1", "invalid_choice"),
    ],
)
def test_what_is_wrong_is_told(kind: str, typed: str, code: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        tax_ids.checked(kind, typed)
    assert refused.value.errors[0].code == code


def test_every_kind_refuses_nonsense_without_an_error_of_ours() -> None:
    for kind in tax_ids.KINDS.keys() - {tax_ids.OTHER}:
        for text in ("x", "0", "ß", "٣٣٣", "DE", "1" * 40, "{}", "' or 1=1"):
            with pytest.raises(ValidationFailed):
                tax_ids.checked(kind, text)


def test_all_numbers_are_printed(acme: TenantView) -> None:
    with in_tenant(acme):
        owner = actor_of(acme)
        tax_ids.add_tax_id(actor=owner, kind="de_vat", value="DE136695976")
        again = tax_ids.add_tax_id(actor=owner, kind="de_vat", value="136695976")
        tax_ids.add_tax_id(actor=owner, kind="us_ein", value="91-1144442")
        assert selectors.tenant_by_id(acme.id).tax_id == "DE136695976 · US EIN 911144442"
        tax_ids.remove_tax_id(actor=owner, tax_id=again.id)
        assert selectors.tenant_by_id(acme.id).tax_id == "US EIN 911144442"


def test_a_number_from_before_kinds_stays(acme: TenantView) -> None:
    with in_tenant(acme):
        Tenant.objects.filter(pk=acme.id).update(tax_id="ATU-old")
        tax_ids.add_tax_id(actor=actor_of(acme), kind="de_vat", value="DE136695976")
        assert selectors.tenant_by_id(acme.id).tax_id == "ATU-old · DE136695976"


def test_an_invoice_has_room_for_eight(acme: TenantView) -> None:
    with in_tenant(acme):
        for number in range(tax_ids.MOST):
            tax_ids.add_tax_id(actor=actor_of(acme), kind="other", value=str(number))
        with pytest.raises(TooMany):
            tax_ids.add_tax_id(actor=actor_of(acme), kind="other", value="9")


def test_another_tenants_number_is_unknown(acme: TenantView, globex: TenantView) -> None:
    with in_tenant(globex):
        theirs = tax_ids.add_tax_id(actor=actor_of(globex), kind="other", value="7")
    with in_tenant(acme), pytest.raises(NotFound):
        tax_ids.remove_tax_id(actor=actor_of(acme), tax_id=theirs.id)
    with in_tenant(acme), pytest.raises(PermissionRefused):
        tax_ids.add_tax_id(actor=actor_of(acme, "MEMBER"), kind="other", value="7")

"""A tenant's tax numbers: each of a kind, checked by the country's own rules, printed on invoices."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from uuid import UUID

import stdnum.ar.cuit
import stdnum.au.abn
import stdnum.br.cnpj
import stdnum.ca.bn
import stdnum.ch.uid
import stdnum.ch.vat
import stdnum.cl.rut
import stdnum.cn.uscc
import stdnum.co.nit
import stdnum.de.stnr
import stdnum.eg.tn
import stdnum.eu.vat
import stdnum.fr.siret
import stdnum.gb.vat
import stdnum.il.hp
import stdnum.in_.gstin
import stdnum.jp.cn
import stdnum.kr.brn
import stdnum.mx.rfc
import stdnum.no.mva
import stdnum.no.orgnr
import stdnum.nz.ird
import stdnum.sg.uen
import stdnum.tr.vkn
import stdnum.us.ein
import stdnum.za.tin
from django.db import transaction
from django.utils.translation import gettext as _
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength, ValidationError

from apps.core import events
from apps.core.actor import Actor
from apps.core.errors import NotFound, ValidationFailed
from apps.tenancy.errors import TooMany
from apps.tenancy.events import TenantSettingsChanged
from apps.tenancy.models import TaxId, Tenant
from apps.tenancy.trail import forget_hosts, own_tenant, record_tenant

MOST, LONGEST, LONGEST_PRINTED = 8, 40, 255
EU_COUNTRIES = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "HR", "HU", "IE"),
    *("IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI"),
)
# A number that nobody can check: registers without a checksum, countries that are not listed.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of tax number; `check` gives its plain form or raises a ``stdnum`` error."""

    label: str
    check: Callable[[str], str] | None


def _of(module: ModuleType) -> Callable[[str], str]:
    check: Callable[[str], str] = module.validate
    return check


def _eu(country: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        compact = "".join(sign for sign in text.upper() if sign not in " .-/")
        has_prefix = compact[:2].isalpha() and compact[:2] in {*EU_COUNTRIES, "GR"}
        named = compact if has_prefix else country + compact
        number: str = stdnum.eu.vat.validate(named)
        if {"GR": "EL"}.get(number[:2], number[:2]) != country:
            raise InvalidComponent
        return number

    return check


KINDS: dict[str, Kind] = {
    **{f"{code.lower()}_vat": Kind(f"{code} VAT", _eu(code)) for code in EU_COUNTRIES},
    "ar_cuit": Kind("AR CUIT", _of(stdnum.ar.cuit)),
    "au_abn": Kind("AU ABN", _of(stdnum.au.abn)),
    "br_cnpj": Kind("BR CNPJ", _of(stdnum.br.cnpj)),
    "ca_bn": Kind("CA BN", _of(stdnum.ca.bn)),
    "ch_uid": Kind("CH UID", _of(stdnum.ch.uid)),
    "ch_vat": Kind("CH MWST/TVA/IVA", _of(stdnum.ch.vat)),
    "cl_rut": Kind("CL RUT", _of(stdnum.cl.rut)),
    "cn_uscc": Kind("CN USCC", _of(stdnum.cn.uscc)),
    "co_nit": Kind("CO NIT", _of(stdnum.co.nit)),
    "de_stnr": Kind("DE Steuernummer", _of(stdnum.de.stnr)),
    "eg_tn": Kind("EG TN", _of(stdnum.eg.tn)),
    "fr_siret": Kind("FR SIRET", _of(stdnum.fr.siret)),
    "gb_vat": Kind("GB VAT", _of(stdnum.gb.vat)),
    "il_hp": Kind("IL HP", _of(stdnum.il.hp)),
    "in_gstin": Kind("IN GSTIN", _of(stdnum.in_.gstin)),
    "jp_cn": Kind("JP CN", _of(stdnum.jp.cn)),
    "kr_brn": Kind("KR BRN", _of(stdnum.kr.brn)),
    "mx_rfc": Kind("MX RFC", _of(stdnum.mx.rfc)),
    "no_mva": Kind("NO MVA", _of(stdnum.no.mva)),
    "no_orgnr": Kind("NO Orgnr", _of(stdnum.no.orgnr)),
    "nz_ird": Kind("NZ IRD", _of(stdnum.nz.ird)),
    "sg_uen": Kind("SG UEN", _of(stdnum.sg.uen)),
    "tr_vkn": Kind("TR VKN", _of(stdnum.tr.vkn)),
    "us_ein": Kind("US EIN", _of(stdnum.us.ein)),
    "za_tin": Kind("ZA TIN", _of(stdnum.za.tin)),
    OTHER: Kind("Other", None),
}


@dataclass(frozen=True, slots=True)
class TaxIdView:
    """One tax number in its plain form."""

    id: UUID
    kind: str
    label: str
    value: str


def list_tax_ids(*, actor: Actor) -> list[TaxIdView]:
    """The actor's tenant's tax numbers in the order in which they are printed.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
    """
    return [_view(row) for row in _rows(own_tenant(actor))]


def add_tax_id(*, actor: Actor, kind: str, value: str) -> TaxIdView:
    """Add a tax number; the same number twice is one. Issued invoices keep what they say.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        ValidationFailed: an unknown kind, or a number that its country's rules refuse; the reason is told.
        TooMany: eight numbers stand already, or all together are too long to print.
    """
    own_tenant(actor)
    plain = checked(kind, value)
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        rows = _rows(tenant)
        if tenant.tax_id and not rows:
            # What was written before numbers had kinds stays printed.
            rows = [TaxId.objects.create(tenant=tenant, kind=OTHER, value=tenant.tax_id[:LONGEST])]
        known = next((row for row in rows if (row.kind, row.value) == (kind, plain)), None)
        if known:
            return _view(known)
        if len(rows) >= MOST or len(_printed([*rows, TaxId(kind=kind, value=plain)])) > LONGEST_PRINTED:
            raise TooMany(_("An invoice has room for %(most)s tax numbers.") % {"most": MOST})
        row = TaxId.objects.create(tenant=tenant, kind=kind, value=plain)
        _print(actor, tenant, "add_tax_id")
        return _view(row)


def remove_tax_id(*, actor: Actor, tax_id: UUID) -> None:
    """Take a tax number off coming invoices.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        NotFound: unknown, or another tenant's.
    """
    own_tenant(actor)
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        removed, _rows_by_model = TaxId.objects.filter(tenant=tenant, pk=tax_id).delete()
        if not removed:
            raise NotFound
        _print(actor, tenant, "remove_tax_id")


def checked(kind: str, value: str) -> str:
    """`value` in the plain form of its kind.

    Raises:
        ValidationFailed: with what is wrong about it.
    """
    if kind not in KINDS:
        raise ValidationFailed.one("kind", "invalid_choice", _("This kind of number is not known here."))
    text = " ".join(value.split())
    if not text:
        raise _refused("required", _("Enter the number."))
    if len(text) > LONGEST or not text.isprintable():
        raise _refused("max_length", _("At most %(most)s characters.") % {"most": LONGEST})
    check = KINDS[kind].check
    if check is None:
        return text
    try:
        return check(text)
    except InvalidChecksum as error:
        text = _("A digit is wrong or two are swapped: the check digit does not fit.")
        raise _refused("checksum", text) from error
    except InvalidLength as error:
        raise _refused("length", _("This number has too many or too few digits.")) from error
    except InvalidFormat as error:
        raise _refused("format", _("This number holds signs that do not belong there.")) from error
    except ValidationError as error:
        raise _refused("component", _("This is not a number of this kind or country.")) from error


def _print(actor: Actor, tenant: Tenant, verb: str) -> None:
    before = tenant.tax_id
    tenant.tax_id = _printed(_rows(tenant))
    tenant.save(update_fields=["tax_id", "updated_at"])
    record_tenant(actor, tenant, verb, before={"tax_id": before}, after={"tax_id": tenant.tax_id})
    events.publish(TenantSettingsChanged(tenant_id=tenant.id, changed=("tax_id",)))
    forget_hosts(tenant)


def _printed(rows: list[TaxId]) -> str:
    # European numbers name their country; of the others the reader has to know what they are.
    named = [
        row.value if row.kind == OTHER or row.kind.endswith("_vat") else f"{_label(row)} {row.value}" for row in rows
    ]
    return " · ".join(named)


def _rows(tenant: Tenant) -> list[TaxId]:
    return list(TaxId.objects.filter(tenant=tenant).order_by("pk"))


def _label(row: TaxId) -> str:
    return KINDS[row.kind].label if row.kind in KINDS else row.kind


def _view(row: TaxId) -> TaxIdView:
    return TaxIdView(row.id, row.kind, _label(row), row.value)


def _refused(code: str, detail: str) -> ValidationFailed:
    return ValidationFailed.one("value", code, detail)

"""Brands, domains and tax numbers as the API shows them."""

from dataclasses import asdict
from typing import Any

from apps.tenancy import brands, selectors
from apps.tenancy.brands import BrandView
from apps.tenancy.domains import ClaimView
from apps.tenancy.tax_ids import TaxIdView

_BRAND = ("id", "name", "is_default", "accent", "sender_name", "reply_to", "locale", *brands.TEXTS)


def brand(found: BrandView, tenant: selectors.TenantView) -> dict[str, Any]:
    """A brand."""
    return {name: getattr(found, name) for name in _BRAND} | {
        "logo_url": f"{tenant.url}{found.logo_path}" if found.logo else None,
        "domain_id": found.domain_id,
        "host": found.host,
        "warning": found.warning,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
    }


def domain(found: ClaimView) -> dict[str, Any]:
    """A claimed domain and the record that proves it."""
    same = ("id", "domain", "is_primary", "checked_at", "verified_at", "created_at")
    return {name: getattr(found, name) for name in same} | {
        "state": found.state.lower(),
        "last_error": found.last_error or None,
        "dns_record": {"type": "TXT", "name": found.record_name, "value": found.record_value},
    }


def tax_id(found: TaxIdView) -> dict[str, Any]:
    """A tax number."""
    return asdict(found)

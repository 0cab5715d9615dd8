"""People outside the standing tenants."""

import itertools
from uuid import UUID

from apps.iam import services
from apps.tenancy.selectors import TenantView

PASSWORD = "Insula-test-1"
_numbers = itertools.count(1)


def person(tenant: TenantView, role: str = "MEMBER", *, email: str = "", first_name: str = "Pat") -> tuple[UUID, str]:
    """One more member of `tenant`; returns id and e-mail."""
    email = email or f"person{next(_numbers)}@{tenant.slug}.test"
    user_id = services.ensure_member(
        email=email, password=PASSWORD, tenant_id=tenant.id, role=role, first_name=first_name, last_name="Doe"
    )
    return user_id, email


def operator(platform_role: str = "PLATFORM_ADMIN") -> str:
    """An operator without a workspace; returns his e-mail."""
    email = f"operator{next(_numbers)}@platform.test"
    services.ensure_operator(email=email, password=PASSWORD, platform_role=platform_role)
    return email

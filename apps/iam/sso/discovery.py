"""Which tenant's own sign-in serves an address: decided by its domain alone, so that no account can be probed."""

from dataclasses import dataclass
from urllib.parse import urlencode

from apps.core.tenants import public_scope
from apps.iam.sso import enforcing, mail_domains
from apps.iam.sso.models import MailDomain, MailDomainState, SsoConnection
from apps.tenancy import selectors as tenancy


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where to go on, and whose it is."""

    workspace: str
    url: str


def find_entrance(email: str) -> Entrance | None:
    """The sign-in of the tenant that has proved the address's domain, if it has one that is switched on."""
    domain = mail_domains.domain_of(email)
    with public_scope():
        row = MailDomain.objects.filter(domain=domain, state=MailDomainState.VERIFIED).first()
        if row is None or not SsoConnection.objects.filter(tenant_id=row.tenant_id, is_enabled=True).exists():
            return None
        tenant = tenancy.tenant_by_id(row.tenant_id)
    if not (tenant.is_readable and tenant.is_served):
        return None
    return Entrance(tenant.name, f"{enforcing.start_url(tenant)}?{urlencode({'login_hint': email})}")

"""What the ledger does when something happens elsewhere."""

from apps.core.events import subscribe
from apps.ledger import services
from apps.tenancy import selectors as tenancy
from apps.tenancy.events import TenantProvisioned


@subscribe(TenantProvisioned)
def open_books(event: TenantProvisioned) -> None:
    """Give the new tenant its chart of accounts in its own currency."""
    services.create_chart(currency=tenancy.tenant_by_id(event.tenant_id).currency)

"""Who keeps a workspace's own sign-in hears of its changes: rows in the transaction of the change, then a hint."""

from collections.abc import Callable

from apps.core.events import subscribe
from apps.iam import selectors as iam
from apps.iam.events import MailDomainLost, SsoChanged
from apps.iam.selectors import MemberView
from apps.notifications import services, sso_letters
from apps.notifications.posting import post
from apps.notifications.services import Letter
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView


@subscribe(SsoChanged)
def tell_of_another_sign_in(event: SsoChanged) -> None:
    """All of them, whoever changed it: it decides who comes in."""
    _tell(tenancy.tenant_by_id(event.tenant_id), "sso", lambda *to: sso_letters.sign_in_changed(event, *to))


@subscribe(MailDomainLost)
def tell_of_a_lost_mail_domain(event: MailDomainLost) -> None:
    """Given up or gone from DNS, people cannot sign in."""
    _tell(
        tenancy.tenant_by_id(event.tenant_id),
        f"mail_domain:{event.domain}",
        lambda *to: sso_letters.domain_lost(event, *to),
    )


def _tell(tenant: TenantView, kind: str, letter: Callable[[MemberView, TenantView], Letter]) -> None:
    change = services.change_key()
    for reader in iam.members_with(tenant.id, "sso:write"):
        post(letter(reader, tenant), f"{kind}:{reader.user_id}:{change}", tenant_id=tenant.id)

"""What people hear when a domain of their workspace leads nowhere any more: whoever can mend it, owners by mail."""

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.core.events import subscribe
from apps.iam import selectors as iam
from apps.iam.selectors import MemberView
from apps.notifications import push, services
from apps.notifications.languages import language_of
from apps.notifications.models import Level, NotificationKind
from apps.notifications.posting import post
from apps.notifications.services import Letter, Recipient, Text
from apps.tenancy import hosts
from apps.tenancy import selectors as tenancy
from apps.tenancy.events import DomainLost
from apps.tenancy.selectors import TenantView


@subscribe(DomainLost)
def tell_of_lost_domain(event: DomainLost) -> None:
    """DNS stopped naming the tenant; who gave the domain up himself knows it."""
    if event.given_up:
        return
    tenant, domain = tenancy.tenant_by_id(event.tenant_id), hosts.readable(event.domain)
    path = reverse("settings-domains", urlconf=settings.TENANT_URLCONF)
    key = f"domain.lost:{services.change_key()}"
    told = services.notify(
        tenant_id=event.tenant_id,
        recipients=[Recipient(who.user_id, who.locale) for who in iam.members_with(event.tenant_id, "settings:write")],
        kind=NotificationKind.DOMAIN_LOST,
        dedupe_key=key,
        text=lambda: Text(
            _("%(domain)s does not lead here any more") % {"domain": domain},
            _("Its DNS record is gone; your pages are at %(host)s.") % {"host": tenant.host},
        ),
        url=path,
        level=Level.ERROR,
    )
    push.poke(event.tenant_id, told)
    for owner in iam.members_with(event.tenant_id, "tenant:delete"):
        letter = _letter(owner, tenant, domain, f"{tenant.home_url}{path}")
        post(letter, f"{key}:{owner.user_id}", tenant_id=event.tenant_id)


def _letter(owner: MemberView, tenant: TenantView, domain: str, link: str) -> Letter:
    with translation.override(language_of(owner.locale)):
        subject = _("%(domain)s does not lead here any more") % {"domain": domain}
    context = {"name": owner.name, "tenant_name": tenant.name, "domain": domain, "host": tenant.host, "link": link}
    return Letter(
        to=owner.email,
        locale=owner.locale,
        template="domain_lost",
        subject=subject,
        context=context,
        related_type="tenant",
        related_id=tenant.id,
    )

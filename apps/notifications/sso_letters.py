"""The e-mails to who keeps a workspace's own sign-in, about its provider and its mail domains."""

from collections.abc import Mapping

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.iam.events import MailDomainLost, SsoChanged
from apps.iam.selectors import MemberView
from apps.notifications.languages import language_of
from apps.notifications.services import Letter
from apps.tenancy import hosts
from apps.tenancy.selectors import TenantView


def sign_in_changed(event: SsoChanged, reader: MemberView, tenant: TenantView) -> Letter:
    """Word of another provider, or of one that was switched on, demanded or removed."""
    with translation.override(language_of(reader.locale)):
        if event.is_removed:
            what = _("signing in by an organisation was removed from %(name)s: whoever came in by it is signed out.")
        else:
            what = _("it was changed how people sign in to %(name)s through their organisation.")
        facts = {_("Provider"): event.provider, _("State"): _state(event), _("Changed by"): event.by}
        return _letter(
            reader,
            tenant,
            subject=_("The sign-in of %(name)s was changed") % {"name": tenant.name},
            what=what % {"name": tenant.name},
            facts=facts,
            closing=_not_agreed(),
        )


def domain_lost(event: MailDomainLost, reader: MemberView, tenant: TenantView) -> Letter:
    """Word that the provider and the directory do not speak for a domain's addresses any more."""
    domain = hosts.readable(event.domain)
    with translation.override(language_of(reader.locale)):
        if event.given_up:
            what = _("%(domain)s was removed from the mail domains of %(name)s.")
            closing = _not_agreed()
        else:
            what = _("the name servers of %(domain)s have not named %(name)s for several checks.")
            closing = _("Restore the TXT record and check the domain again to bring it back.")
        effect = _("Nobody with an address there signs in by your organisation any more; who had is signed out.")
        return _letter(
            reader,
            tenant,
            subject=_("%(domain)s is no mail domain of %(name)s any more") % {"domain": domain, "name": tenant.name},
            what=f"{what % {'domain': domain, 'name': tenant.name}} {effect}",
            facts={_("Mail domain"): domain},
            closing=closing,
        )


def _state(event: SsoChanged) -> str:
    if event.is_removed:
        return _("Removed")
    if not event.is_enabled:
        return _("Off")
    return _("On, and required") if event.is_required else _("On")


def _not_agreed() -> str:
    return _("If nobody of you wanted this, look into the audit trail and the settings at once.")


def _letter(
    reader: MemberView, tenant: TenantView, *, subject: str, what: str, facts: Mapping[str, str], closing: str
) -> Letter:
    link = f"{tenant.home_url}{reverse('iam:sso-settings', urlconf=settings.TENANT_URLCONF)}"
    return Letter(
        to=reader.email,
        locale=reader.locale,
        template="account_notice",
        subject=subject,
        context={
            "name": reader.name,
            "what": what,
            "facts": [[label, value] for label, value in (*facts.items(), (_("Settings"), link)) if value],
            "closing": closing,
        },
        related_type="tenant",
        related_id=tenant.id,
    )

"""What people hear when a webhook endpoint was given up: all who can put it right, in the product and by mail."""

from urllib.parse import urlsplit

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
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView
from apps.webhooks.events import EndpointDisabled


@subscribe(EndpointDisabled)
def tell_of_disabled_endpoint(event: EndpointDisabled) -> None:
    """Nothing is sent to it any more until somebody enables it."""
    tenant = tenancy.tenant_by_id(event.tenant_id)
    path = reverse("webhooks:endpoint", args=[event.endpoint_id], urlconf=settings.TENANT_URLCONF)
    key = f"webhook.disabled:{event.endpoint_id}:{services.change_key()}"
    keepers = iam.members_with(event.tenant_id, "webhooks:write")
    told = services.notify(
        tenant_id=event.tenant_id,
        recipients=[Recipient(who.user_id, who.locale) for who in keepers],
        kind=NotificationKind.WEBHOOK_DISABLED,
        dedupe_key=key,
        text=lambda: Text(_("A webhook endpoint was disabled"), f"{_shown(event)} · {_why(event)}"),
        url=path,
        level=Level.ERROR,
    )
    push.poke(event.tenant_id, told)
    for keeper in keepers:
        letter = _letter(keeper, tenant, event, f"{tenant.home_url}{path}")
        post(letter, f"{key}:{keeper.user_id}", tenant_id=event.tenant_id)


def _letter(keeper: MemberView, tenant: TenantView, event: EndpointDisabled, link: str) -> Letter:
    with translation.override(language_of(keeper.locale)):
        subject = _("A webhook endpoint of %(name)s was disabled") % {"name": tenant.name}
        reason = _why(event)
    return Letter(
        to=keeper.email,
        locale=keeper.locale,
        template="webhook_disabled",
        subject=subject,
        context={
            "name": keeper.name,
            "tenant_name": tenant.name,
            "url": _shown(event),
            "reason": reason,
            "link": link,
        },
        related_type="webhook_endpoint",
        related_id=event.endpoint_id,
    )


def _why(event: EndpointDisabled) -> str:
    if event.reason == "GONE":
        return _("It answered that it is gone (410).")
    return _("Nothing has reached it for five days.")


def _shown(event: EndpointDisabled) -> str:
    # What follows the host may hold a key of the receiver's.
    return urlsplit(event.url).netloc

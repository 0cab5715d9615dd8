"""Letters to a workspace's owner when it is suspended, active again, or deleted."""

from datetime import datetime
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from apps.iam.selectors import MemberView
from apps.notifications.languages import language_of
from apps.notifications.letters import long_date
from apps.notifications.services import Letter
from apps.tenancy.selectors import TenantView


def suspended(owner: MemberView, tenant: TenantView, *, reason: str) -> Letter:
    """The workspace is read-only."""
    with translation.override(language_of(owner.locale)):
        subject = _("%(name)s is suspended") % {"name": tenant.name}
    return _letter(owner, tenant.id, "workspace_suspended", subject, _context(owner, tenant) | {"reason": reason})


def reactivated(owner: MemberView, tenant: TenantView) -> Letter:
    """The workspace can be used again."""
    with translation.override(language_of(owner.locale)):
        subject = _("%(name)s is active again") % {"name": tenant.name}
    return _letter(owner, tenant.id, "workspace_reactivated", subject, _context(owner, tenant))


def deleted(owner: MemberView, tenant: TenantView, *, purge_after: datetime, link: str) -> Letter:
    """The workspace is closed, and `link` brings it back until `purge_after`."""
    language = language_of(owner.locale)
    with translation.override(language):
        subject = _("%(name)s was deleted") % {"name": tenant.name}
    day = long_date(purge_after.date(), language)
    return _letter(owner, tenant.id, "workspace_deleted", subject, _context(owner, tenant) | {"day": day, "link": link})


def _context(owner: MemberView, tenant: TenantView) -> dict[str, str]:
    return {"name": owner.name, "tenant_name": tenant.name, "link": tenant.home_url}


def _letter(owner: MemberView, tenant_id: UUID, template: str, subject: str, context: dict[str, str]) -> Letter:
    return Letter(
        to=owner.email,
        locale=owner.locale,
        template=template,
        subject=subject,
        context=context,
        related_type="tenant",
        related_id=tenant_id,
    )

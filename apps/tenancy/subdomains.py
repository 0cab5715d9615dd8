"""The sub-domain that a tenant's slug names, and those that it had before."""

from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.audit.services import Severity
from apps.core import events
from apps.core.actor import Actor
from apps.core.errors import NotFound, ValidationFailed
from apps.tenancy.errors import NameTaken, TooMany
from apps.tenancy.events import TenantSettingsChanged
from apps.tenancy.models import SLUG, Domain, DomainKind
from apps.tenancy.services import RESERVED_SLUGS
from apps.tenancy.trail import forget_hosts, own_tenant, record_tenant

MOST_FORMER = 5


def change_slug(*, actor: Actor, slug: str) -> None:
    """Move the tenant's pages to another sub-domain. The old one leads there until it is freed.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        ValidationFailed: not a label of a host name, or one that the platform keeps.
        NameTaken: it leads or led to another organisation.
        TooMany: five old sub-domains are kept already.
    """
    own_tenant(actor)
    slug = slug.strip().lower()
    _check_slug(slug)
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        before = tenant.slug
        if slug == before:
            return
        host = f"{slug}.{settings.PLATFORM_HOST}"
        own = Domain.objects.filter(tenant=tenant)
        others = own.filter(kind=DomainKind.FORMER).exclude(domain=host)
        if others.count() >= MOST_FORMER:
            raise TooMany(_("Five old addresses are kept already; free one of them first."))
        try:
            with transaction.atomic():
                own.filter(kind=DomainKind.SLUG).update(kind=DomainKind.FORMER, is_primary=False)
                is_primary = not tenant.primary_domain
                if not own.filter(domain=host).update(kind=DomainKind.SLUG, is_primary=is_primary):
                    Domain.objects.create(tenant=tenant, domain=host, is_primary=is_primary)
                tenant.slug = slug
                tenant.save(update_fields=["slug", "updated_at"])
        except IntegrityError as error:
            raise NameTaken(_("This address is already taken.")) from error
        record_tenant(
            actor, tenant, "change_slug", before={"slug": before}, after={"slug": slug}, severity=Severity.MEDIUM
        )
        events.publish(TenantSettingsChanged(tenant_id=tenant.id, changed=("slug",)))
        forget_hosts(tenant, [host])


def free_former(*, actor: Actor, domain_id: UUID) -> None:
    """Give up a sub-domain that the tenant had before; anybody may take it.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        NotFound: it is no former sub-domain of this tenant.
    """
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        row = Domain.objects.filter(tenant=tenant, pk=domain_id, kind=DomainKind.FORMER).first()
        if row is None:
            raise NotFound
        forget_hosts(tenant, [row.domain])
        row.delete()
        record_tenant(actor, tenant, "free_address", before={"domain": row.domain}, after={})


def _check_slug(slug: str) -> None:
    try:
        SLUG(slug)
    except ValidationError as error:
        text = _("Lower-case letters, digits and hyphens, at most 50.")
        raise ValidationFailed.one("slug", "invalid", text) from error
    # A-labels would show another name than they spell.
    if slug in RESERVED_SLUGS or slug[2:4] == "--":
        raise ValidationFailed.one("slug", "reserved", _("The platform keeps this address for itself."))

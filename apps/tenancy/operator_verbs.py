"""What operators do to an organisation, each with the consequence that they confirm."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from apps.tenancy import deleting, operators, selectors, services
from apps.tenancy.models import Tenant

Act = Callable[[HttpRequest, Tenant, str], Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """`act` takes the request, the tenant and the operator's reason."""

    label: Any
    consequence: Any
    act: Act


def verbs() -> dict[str, Verb]:
    """By the word that stands in the address."""
    days = deleting.grace_days()
    return {
        "enter": Verb(
            _("Look inside"),
            _(
                "For one hour you see this organisation's invoices, clients and payments. "
                "It reads of it in its audit trail."
            ),
            lambda request, tenant, reason: operators.enter(request, selectors.view(tenant), reason),
        ),
        "suspend": Verb(
            _("Suspend"),
            _("Its people can look but change nothing until you reactivate it. Nothing is lost."),
            _by(services.suspend_tenant),
        ),
        "reactivate": Verb(_("Reactivate"), _("Its people can work again at once."), _by(services.reactivate_tenant)),
        "delete": Verb(
            _("Delete"),
            ngettext_lazy(
                "Everybody is signed out and its pages, programs and hosted invoices stop at once. For %(days)s day "
                "you or its owner can restore it; then everything in it is removed for good.",
                "Everybody is signed out and its pages, programs and hosted invoices stop at once. For %(days)s days "
                "you or its owner can restore it; then everything in it is removed for good.",
                days,
            )
            % {"days": days},
            _by(deleting.delete_tenant),
        ),
        "restore": Verb(
            _("Restore"),
            _("Everything in it comes back as it was before it was deleted."),
            _by(deleting.restore_tenant),
        ),
        "retry": Verb(
            _("Retry provisioning"),
            _("The missing steps run again in the background."),
            _by(services.retry_provisioning),
        ),
    }


def _by(service: Callable[..., Any]) -> Act:
    return lambda request, tenant, reason: service(
        actor=operators.operator(request), tenant_id=tenant.pk, reason=reason
    )

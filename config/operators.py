"""The operators' dashboard: counts over the platform's own tables, each leading to its list."""

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.core.clock import utcnow
from apps.iam.models import Membership, User
from apps.notifications.models import EmailDelivery
from apps.payments.models import GatewayEvent
from apps.tenancy.models import Tenant, TenantStatus

# Their admins would change and show things past the services: rights by group, mirrored Stripe objects, keys.
_NOT_FOR_OPERATORS = frozenset({"auth", "djstripe"})


def leave_out_foreign_admins() -> None:
    """Take the admins of libraries off the site; what operators may change goes through our services."""
    for model in [model for model in admin.site._registry if model._meta.app_label in _NOT_FOR_OPERATORS]:
        admin.site.unregister(model)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the cards, the chart and the latest organisations to the admin's index."""
    tenants = reverse("admin:tenancy_tenant_changelist")
    month_ago = utcnow() - timedelta(days=30)
    by_status = dict(Tenant.objects.values_list("status").annotate(Count("pk")))
    failed_events = GatewayEvent.objects.filter(status="FAILED").count()
    failed_mails = EmailDelivery.objects.filter(state="FAILED").count()
    stuck = by_status.get(TenantStatus.PROVISIONING_FAILED, 0)
    context["cards"] = [
        {
            "title": _("Organisations"),
            "value": sum(by_status.values()),
            "note": _("%(count)s in the last 30 days")
            % {"count": Tenant.objects.filter(created_at__gte=month_ago).count()},
            "url": tenants,
        },
        {
            "title": _("Active"),
            "value": by_status.get(TenantStatus.ACTIVE, 0),
            "note": _("%(count)s suspended") % {"count": by_status.get(TenantStatus.SUSPENDED, 0)},
            "url": f"{tenants}?status__exact=ACTIVE",
        },
        {
            "title": _("People"),
            "value": User.objects.count(),
            "note": _("%(count)s memberships") % {"count": Membership.objects.count()},
            "url": reverse("admin:iam_user_changelist"),
        },
        {
            "title": _("Provisioning failed"),
            "value": stuck,
            "note": _("to be retried") if stuck else _("nothing to do"),
            "url": f"{tenants}?status__exact=PROVISIONING_FAILED",
        },
        {
            "title": _("Undelivered"),
            "value": failed_events + failed_mails,
            "note": _("%(events)s Stripe events, %(mails)s e-mails") % {"events": failed_events, "mails": failed_mails},
            "url": reverse("admin:payments_gatewayevent_changelist"),
        },
    ]
    context["new_organisations"] = _per_month()
    context["latest"] = Tenant.objects.order_by("-created_at")[:8]
    return context


def _per_month() -> str:
    since = (utcnow().replace(day=1) - timedelta(days=335)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = (
        Tenant.objects.filter(created_at__gte=since)
        .annotate(month=TruncMonth("created_at"))
        .values("month")
        .annotate(count=Count("pk"))
        .order_by("month")
    )
    return json.dumps(
        {
            "labels": [date_format(row["month"], "M Y") for row in rows],
            "datasets": [{"label": _("New organisations"), "data": [row["count"] for row in rows]}],
        }
    )

"""Routes on a tenant's host: its pages, its API, its customers' invoices."""

from django.urls import include, path

from config.urls_public import everywhere, handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    *everywhere,
    path("", include("apps.reports.urls")),
    path("", include("apps.iam.urls")),
    path("", include("apps.invoices.urls")),
    path("payments/", include("apps.payments.urls")),
    path("audit/", include("apps.audit.urls")),
    path("scim/v2/", include("apps.iam.scim.urls")),
    path("notifications/", include("apps.notifications.urls")),
    path("settings/webhooks/", include("apps.webhooks.urls")),
    path("settings/data/", include("apps.archives.urls")),
    path("settings/danger/", include("apps.iam.danger_urls")),
    path("", include("apps.tenancy.urls")),
]

"""The REST API's routes, all below ``/api/v1/``; one line an app."""

from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from apps.invoices.api.relations import INVOICE_OF_PAYMENT
from apps.payments.api import urls as payments
from config.openapi_document import SchemaView
from config.problem_catalogue import problems_page

# The first are found soonest: what programs ask most stands above what people do once.
v1 = [
    path("", include("apps.invoices.api.urls")),
    path("", include("apps.iam.api.urls")),
    path("", include("apps.tenancy.api.urls")),
    # Payments stand below invoices and know nothing of them; here both are known.
    path("", include(payments.routes(INVOICE_OF_PAYMENT))),
    path("", include("apps.webhooks.api.urls")),
    path("", include("apps.ledger.api.urls")),
    path("", include("apps.notifications.api.urls")),
    path("", include("apps.audit.api.urls")),
    path("", include("apps.archives.api.urls")),
]

urlpatterns = [
    path("v1/", include((v1, "api"))),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/problems", problems_page, name="problems"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]

"""Routes on the platform's own host: landing, sign-up, operators' admin, Stripe, health."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from apps.core import health
from apps.edge import exposition
from apps.iam import danger, operator_factor_views
from apps.tenancy.views.domains import certificate_allowed
from config import operators, organisations, views

handler400 = "config.views.bad_request"
handler403 = "config.views.forbidden"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"

everywhere = [
    path("api/", include("config.api")),
    path("language/", views.set_language, name="set_language"),
    path("health", health.aggregate, name="health"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
]

operators.leave_out_foreign_admins()
organisations.register()

urlpatterns = [
    *everywhere,
    path("", TemplateView.as_view(template_name="landing/index.html"), name="landing"),
    path("", include("apps.iam.urls_platform")),
    path("restore/<str:token>/", danger.restore, name="restore"),
    path("admin/login/", operator_factor_views.sign_in, name="operator-signin"),
    path("admin/second-step/", operator_factor_views.second_step, name="operator-second-step"),
    path("admin/second-factor/", operator_factor_views.set_up, name="operator-second-factor"),
    path("admin/", admin.site.urls),
    path("webhooks/stripe/payments/", views.payments_webhook, name="stripe-payments-webhook"),
    path("tls/allowed", certificate_allowed, name="tls-allowed"),
    path("metrics", exposition.metrics, name="metrics"),
]

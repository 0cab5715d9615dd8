"""Which apps are shared and which are each tenant's own; see docs/decisions for the reasons."""

SHARED_APPS = [
    "apps.core",
    "apps.tenancy",
    "apps.audit",
    "apps.iam",
    "apps.payments",  # for its inbox alone: see SHARED_MODELS
    "apps.notifications",
    "apps.reports",
    "unfold",
    "django_tenants",  # after unfold, whose admin templates it would replace
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_prometheus",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_cotton.apps.SimpleAppConfig",
    "lucide",
    "csp",
    "djstripe",
]
TENANT_APPS = ["apps.ledger", "apps.payments", "apps.invoices"]
INSTALLED_APPS = SHARED_APPS + [app for app in TENANT_APPS if app not in SHARED_APPS]

# Shared tables of apps that are otherwise the tenant's.
SHARED_MODELS = frozenset({"payments.gatewayevent"})
TENANT_APPS_WITH_SHARED_MODELS = frozenset({"payments"})

TENANT_MODEL = "tenancy.Tenant"
TENANT_DOMAIN_MODEL = "tenancy.Domain"
TENANT_SYNC_ROUTER = "apps.tenancy.routers.SideRouter"
DATABASE_ROUTERS = [TENANT_SYNC_ROUTER]
TEST_RUNNER = "django.test.runner.DiscoverRunner"

"""Which apps are shared and which are each tenant's own; see docs/decisions for the reasons."""

from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import DATA, env

SHARED_APPS = [
    "apps.core",
    "apps.edge",
    "apps.tenancy",
    "apps.audit",
    "apps.iam",
    "apps.payments",  # for its inbox alone: see SHARED_MODELS
    "apps.notifications",
    "apps.reports",
    "apps.archives",
    "unfold",
    "django_tenants",  # after unfold, whose admin templates it would replace
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_prometheus",
    "django_cotton.apps.SimpleAppConfig",
    "lucide",
    "csp",
    "djstripe",
]
TENANT_APPS = ["apps.ledger", "apps.payments", "apps.invoices", "apps.webhooks"]
INSTALLED_APPS = SHARED_APPS + [app for app in TENANT_APPS if app not in SHARED_APPS]

# Shared tables of apps that are otherwise the tenant's.
SHARED_MODELS = frozenset({"payments.gatewayevent"})
TENANT_APPS_WITH_SHARED_MODELS = frozenset({"payments"})

TENANT_MODEL = "tenancy.Tenant"
TENANT_DOMAIN_MODEL = "tenancy.Domain"
TENANT_SYNC_ROUTER = "apps.tenancy.routers.SideRouter"
DATABASE_ROUTERS = ["apps.core.replica.ReplicaRouter", TENANT_SYNC_ROUTER]
TEST_RUNNER = "django.test.runner.DiscoverRunner"

ROLLOUT_MODE = env.str("ROLLOUT_MODE", default="MULTI_TENANT")
if ROLLOUT_MODE not in ("MULTI_TENANT", "SINGLE_TENANT"):
    raise ImproperlyConfigured(f"ROLLOUT_MODE is {ROLLOUT_MODE!r}; it must be MULTI_TENANT or SINGLE_TENANT.")
# In SINGLE_TENANT: the key of an existing workspace that becomes the one, and the name of a new one.
DEFAULT_WORKSPACE_KEY = env.str("DEFAULT_WORKSPACE_KEY", default="")
DEFAULT_WORKSPACE_NAME = env.str("DEFAULT_WORKSPACE_NAME", default="Workspace")

# Whether customers of a suspended tenant may still pay its invoices.
SUSPENDED_TENANTS_ACCEPT_PAYMENTS = env.bool("SUSPENDED_TENANTS_ACCEPT_PAYMENTS", default=True)
# How long a deleted tenant can be restored before everything of it is removed.
TENANT_PURGE_GRACE_DAYS = env.int("TENANT_PURGE_GRACE_DAYS", default=30)
if TENANT_PURGE_GRACE_DAYS < 0:
    raise ImproperlyConfigured("TENANT_PURGE_GRACE_DAYS must not be negative.")

# Schemas kept ready for the next sign-ups.
TENANT_POOL_SIZE = env.int("TENANT_POOL_SIZE", default=10)
if TENANT_POOL_SIZE < 0:
    raise ImproperlyConfigured("TENANT_POOL_SIZE must not be negative.")

# Archives of whole tenants (docs/archive-format.md).
ARCHIVE_KEEP_HOURS = env.int("ARCHIVE_KEEP_HOURS", default=72)
ARCHIVE_WORK_DIR = env.str("ARCHIVE_WORK_DIR", default=str(DATA / "archives"))
ARCHIVE_MAX_UPLOAD_BYTES = env.int("ARCHIVE_MAX_UPLOAD_BYTES", default=2 * 1024**3)
ARCHIVE_MAX_BYTES = env.int("ARCHIVE_MAX_BYTES", default=50 * 1024**3)
ARCHIVE_MAX_MEMBERS = env.int("ARCHIVE_MAX_MEMBERS", default=1_000_000)
for limit in (ARCHIVE_KEEP_HOURS, ARCHIVE_MAX_UPLOAD_BYTES, ARCHIVE_MAX_BYTES, ARCHIVE_MAX_MEMBERS):
    if limit < 1:
        raise ImproperlyConfigured("Every ARCHIVE_… number must be at least 1.")

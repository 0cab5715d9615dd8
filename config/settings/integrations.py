"""What the platform talks to: Stripe, mail, queues, sockets, object storage, the REST framework."""

from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import env

# -- Stripe -----------------------------------------------------------------------------------------------------
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_VERSION = "2026-08-26.dahlia"
STRIPE_LIVE_MODE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
if host := env.str("STRIPE_API_HOST", default=""):
    if STRIPE_LIVE_MODE:
        raise ImproperlyConfigured("STRIPE_API_HOST points at a stand-in; a live key must never be sent there.")
    STRIPE_API_HOST = host
if STRIPE_LIVE_MODE:
    STRIPE_LIVE_SECRET_KEY = STRIPE_SECRET_KEY
else:
    STRIPE_TEST_SECRET_KEY = STRIPE_SECRET_KEY
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_WEBHOOK_SECRET = STRIPE_WEBHOOK_SECRET

# -- Mail -------------------------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Insula <no-reply@insula.localhost>")

# -- DNS: where domains of tenants are proved; the machine's own servers unless named ("192.0.2.53", "127.0.0.1#5353")
DNS_NAMESERVERS = env.list("DNS_NAMESERVERS", default=[])
DNS_TIMEOUT = env.float("DNS_TIMEOUT", default=5.0)  # seconds for one domain

# -- Asking servers that tenants name (identity providers): loopback and private networks too, and without TLS?
OUTBOUND_PRIVATE_ADDRESSES = env.bool("OUTBOUND_PRIVATE_ADDRESSES", default=False)

# -- Webhooks that tenants set up ---------------------------------------------------------------------------------
WEBHOOK_ENDPOINTS_PER_WORKSPACE = env.int("WEBHOOK_ENDPOINTS_PER_WORKSPACE", default=20)
WEBHOOK_KEEP_DAYS = env.int("WEBHOOK_KEEP_DAYS", default=30)  # messages and the log of their deliveries
WEBHOOK_REPLAY_MOST = 1_000  # messages that one call sends again
if WEBHOOK_ENDPOINTS_PER_WORKSPACE < 1 or WEBHOOK_KEEP_DAYS < 3:
    raise ImproperlyConfigured(
        "WEBHOOK_ENDPOINTS_PER_WORKSPACE must be at least 1, WEBHOOK_KEEP_DAYS at least 3: attempts go on for two days."
    )

# -- Queues -----------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("BROKER_URL", default=env.str("REDIS_URL"))
if CELERY_BROKER_URL.startswith("unix://"):
    CELERY_BROKER_URL = "redis+socket://" + CELERY_BROKER_URL.removeprefix("unix://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # Nobody waits for a broker that is away: a request goes on without its hint, a worker counts by itself.
    "max_retries": 0,
}
CELERY_TIMEZONE = "UTC"
# Each sweep does what a lost hint left behind; the intervals bound how late that can be.
_SWEEPS = {
    "invoices.sweep_documents": timedelta(seconds=30),
    "notifications.sweep_emails": timedelta(seconds=30),
    "payments.process_due_gateway_events": timedelta(seconds=10),
    "payments.reconcile_payments": timedelta(seconds=30),
    "iam.lift_expired_bans": timedelta(minutes=1),
    "iam.note_ended_impersonations": timedelta(minutes=1),
    "iam.check_mail_domains": timedelta(seconds=60),
    "iam.mail_owed": timedelta(seconds=30),
    "edge.purge_idempotency_keys": timedelta(minutes=10),
    "iam.purge_expired": timedelta(hours=1),
    "iam.sweep_avatars": timedelta(minutes=5),
    "iam.purge_nonces": timedelta(minutes=10),
    "webhooks.sweep": timedelta(seconds=30),
    "webhooks.purge": timedelta(hours=1),
    "invoices.tell_overdue": timedelta(minutes=10),
    "tenancy.check_schemas": timedelta(hours=1),
    "tenancy.refill_pool": timedelta(seconds=30),
    "archives.sweep": timedelta(seconds=30),
    "tenancy.sweep_provisioning": timedelta(seconds=15),
    "tenancy.check_domains": timedelta(seconds=60),
    "tenancy.purge_deleted": timedelta(minutes=10),
}
CELERY_BEAT_SCHEDULE = {
    name: {
        "task": name,
        "schedule": interval,
        # While no worker listens they pile up; of those that waited so long the newer ones do the work.
        "options": {"expires": max(300, 10 * interval.total_seconds())},
    }
    for name, interval in _SWEEPS.items()
}

# -- Sockets ----------------------------------------------------------------------------------------------------
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # The layer waits five seconds for a message and then again; redis-py, which gives up after five by itself,
            # would take the quiet for a server that is gone and close every socket.
            "hosts": [{"address": env.str("REDIS_URL"), "socket_timeout": 15, "socket_connect_timeout": 2}],
            "prefix": "insula.ws",
            "expiry": 60,
        },
    }
}

# -- Files: on disk unless a bucket is named ---------------------------------------------------------------------
if bucket := env.str("S3_BUCKET", default=""):
    _default_storage = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default=None),
            "region_name": env.str("S3_REGION", default=None),
            "access_key": env.str("S3_ACCESS_KEY_ID", default=None),
            "secret_key": env.str("S3_SECRET_ACCESS_KEY", default=None),
            "default_acl": None,
            "file_overwrite": True,
            # Addresses for uploads sign the file's type and size, which older signatures do not.
            "signature_version": "s3v4",
        },
    }
else:
    _default_storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"allow_overwrite": True}}
STORAGES = {
    "default": _default_storage,
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}

# -- REST -------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.iam.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["apps.core.rest.rendering.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.rest.parsing.InteroperableJsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.core.rest.negotiation.WeighedNegotiation",
    "DEFAULT_SCHEMA_CLASS": "apps.core.rest.described.DescribedSchema",
    "EXCEPTION_HANDLER": "apps.core.rest.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Insula API",
    "DESCRIPTION": "Organisations, clients, invoices, payments, ledger and audit. Money is integer minor units.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "deepLinking": True},
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.describe_edge",
        "config.openapi_headers.describe_headers",
        "config.openapi_summaries.add_summaries",
        "config.openapi_examples.add_examples",
        "config.openapi_webhooks.describe_webhooks",
    ],
    "ENUM_NAME_OVERRIDES": {
        "InvoiceStatusEnum": "apps.invoices.api.schemas.INVOICE_STATES",
        "PaymentStatusEnum": "apps.payments.api.serializers.PAYMENT_STATES",
        "RefundStatusEnum": "apps.payments.api.serializers.REFUND_STATES",
        "ExportStatusEnum": "apps.archives.api.serializers.STATES",
    },
}

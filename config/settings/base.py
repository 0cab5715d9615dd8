"""The parts of Django itself: hosts, templates, database, files, languages."""

from urllib.parse import unquote

from django.utils.translation import gettext_lazy as _
from redis import exceptions as redis_errors
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.settings.environment import DATA, REPOSITORY, env

BASE_DIR = REPOSITORY
SECRET_KEY = env.str("SECRET_KEY")
DEBUG = False

# Where the product is reached. Tenants live on sub-domains of PLATFORM_HOST.
PORT = env.int("PORT", default=8000)
PLATFORM_HOST = env.str("PLATFORM_HOST", default="localhost")
PUBLIC_SCHEME = env.str("PUBLIC_SCHEME", default="https")
PUBLIC_PORT = env.str("PUBLIC_PORT", default="")  # with its colon (":8000"), empty behind a proxy on 443
PLATFORM_URL = f"{PUBLIC_SCHEME}://{PLATFORM_HOST}{PUBLIC_PORT}"
# The socket's origin when it is another than the page's; empty when a proxy joins both.
REALTIME_PORT = env.str("REALTIME_PORT", default="")
ALLOWED_HOSTS = ["*"]  # the workspace middleware knows every host by the domains table and refuses the rest

ROOT_URLCONF = "config.urls_public"
TENANT_URLCONF = "config.urls_tenant"
SINGLE_URLCONF = "config.urls_single"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

database = env.db_url("DATABASE_URL")
# Who owns tables, who serves the platform, and the group of all tenants' roles; see docs/operations.md.
DATABASE_OWNER_ROLE = env.str("DATABASE_OWNER_ROLE", default="insula_owner")
DATABASE_PLATFORM_ROLE = env.str("DATABASE_PLATFORM_ROLE", default="insula_platform")
DATABASE_TENANT_ROLE = env.str("DATABASE_TENANT_ROLE", default="insula_tenant")

# Above 0, threads share a pool of at most so many connections a process instead of having one each.
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=0)
# Connections end after so many seconds, because each tenant they served leaves memory in their server process.
DATABASE_CONN_MAX_AGE = env.int("DATABASE_CONN_MAX_AGE", default=300)
# Past PgBouncer, for migrations, which need a session; and with another login when the web's may not own.
database_direct = env.db_url("DATABASE_DIRECT_URL", default=env.str("DATABASE_URL"))

DATABASES = {
    "default": {
        **database,
        "HOST": unquote(database["HOST"] or ""),  # a socket's directory stands percent-encoded in the URL
        "ENGINE": "apps.core.postgres",
        "CONN_MAX_AGE": 0 if DATABASE_POOL_SIZE else DATABASE_CONN_MAX_AGE,
        "OPTIONS": {
            # Statements prepared on the server belong to a session, which PgBouncer shares.
            "prepare_threshold": None,
            "server_side_binding": False,
            # A server whose machine is gone says nothing: without these, whoever asks waits for minutes.
            "connect_timeout": 10,
            "tcp_user_timeout": 30_000,  # milliseconds
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            **(
                {"pool": {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "max_lifetime": DATABASE_CONN_MAX_AGE}}
                if DATABASE_POOL_SIZE
                else {}
            ),
        },
        "DIRECT": {
            "user": database_direct["USER"],
            "password": database_direct["PASSWORD"],
            "host": unquote(database_direct["HOST"] or ""),
            "port": database_direct["PORT"],
        },
        # What the hottest reads ask (core/postgres/pipeline.py) stays prepared, unless a pooler may stand between.
        "PREPARES": env.bool("DATABASE_PREPARES", default=env.str("DATABASE_DIRECT_URL", default="") == ""),
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # they outlive a transaction, which no pooler allows
        "TEST": {"NAME": env.str("TEST_DATABASE_NAME", default="test_insula")},
    }
}

# Where reports read; empty: from the primary. apps.core.replica says what happens when it does not answer.
REPLICA_DATABASE_URL = env.str("REPLICA_DATABASE_URL", default="")
REPLICA_WAIT_SECONDS = 3
if REPLICA_DATABASE_URL:
    replica = env.db_url("REPLICA_DATABASE_URL")
    options = {**DATABASES["default"]["OPTIONS"], "connect_timeout": REPLICA_WAIT_SECONDS}
    if DATABASE_POOL_SIZE:
        options["pool"] = {**options["pool"], "timeout": REPLICA_WAIT_SECONDS}
    DATABASES["replica"] = {
        **DATABASES["default"],
        **{name: replica[name] for name in ("NAME", "USER", "PASSWORD", "PORT")},
        "HOST": unquote(replica["HOST"] or ""),
        "OPTIONS": options,
        "DIRECT": {},
        "READ_ONLY": True,
    }

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.str("REDIS_URL"),
        "KEY_PREFIX": "insula",
        # One that hangs is as good as one that is away; whoever asks goes on without it, or says so. A connection that
        # was closed meanwhile is opened again, once.
        "OPTIONS": {
            "socket_timeout": 1,
            "socket_connect_timeout": 1,
            "retry": Retry(NoBackoff(), 1, supported_errors=(redis_errors.ConnectionError,)),
        },
    }
}
SESSION_ENGINE = "apps.iam.sessions"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [REPOSITORY / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "config.context.shell",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.i18n",
                "django.templatetags.static",
                "apps.core.templatetags.icons",
                "django_htmx.templatetags.django_htmx",
                "apps.core.templatetags.shown",
            ],
        },
    }
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("ar", _("Arabic"))]
LOCALE_PATHS = [REPOSITORY / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [REPOSITORY / "static"]
STATIC_ROOT = env.str("STATIC_ROOT", default=str(DATA / "static"))
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(DATA / "media"))
FONT_DIR = env.str("FONT_DIR", default=str(DATA / "fonts"))

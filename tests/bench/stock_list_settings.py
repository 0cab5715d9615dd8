"""Django, django-tenants, DRF and simplejwt as their manuals set them up, on the product's tables.

Connections persist and templates of errors are off the way, which no manual does by itself, so that nothing is compared
with opening a connection for each request.
"""

from config.settings.dev import *  # noqa: F403
from config.settings.dev import DATABASES, JWT_AUDIENCE, JWT_ISSUER, TENANT_SYNC_ROUTER
from tests.bench.verifying_key import PUBLIC_PEM

DATABASES = {
    "default": {
        **{name: DATABASES["default"][name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")},
        "ENGINE": "django_tenants.postgresql_backend",
        "CONN_MAX_AGE": 300,
    }
}
DATABASE_ROUTERS = [TENANT_SYNC_ROUTER]
MIDDLEWARE = [
    "django_tenants.middleware.main.TenantMainMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
ROOT_URLCONF = PUBLIC_SCHEMA_URLCONF = "tests.bench.stock_list"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 20,
}
SIMPLE_JWT = {
    "ALGORITHM": "RS256",
    "VERIFYING_KEY": PUBLIC_PEM,
    "AUDIENCE": JWT_AUDIENCE,
    "ISSUER": JWT_ISSUER,
    "USER_ID_CLAIM": "sub",
    "TOKEN_TYPE_CLAIM": "typ",
}

"""Sign-in, tokens, cookies, headers."""

import base64
import re
from pathlib import Path

from csp.constants import NONCE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from config.settings.base import (
    PLATFORM_HOST,
    PLATFORM_URL,
    PUBLIC_PORT,
    PUBLIC_SCHEME,
    REALTIME_PORT,
    SECRET_KEY,
)
from config.settings.environment import env
from config.settings.tenants import ARCHIVE_MAX_UPLOAD_BYTES

AUTH_USER_MODEL = "iam.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "apps.iam.hashers.InsulaArgon2",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.BCryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "apps.iam.passwords.CharacterPolicy"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Whether nobody enters the operators' admin without a second factor.
OPERATORS_MUST_USE_MFA = env.bool("OPERATORS_MUST_USE_MFA", default=False)
# Members that a workspace may have; 0: as many as it likes.
SEATS_PER_WORKSPACE = env.int("SEATS_PER_WORKSPACE", default=0)
LOGIN_URL = "iam:signin"
LOGIN_REDIRECT_URL = "/admin/"  # of Django's own sign-in, which is the operators' alone

# Addresses whose X-Forwarded-For is believed.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])


def _pem() -> str:
    if path := env.str("JWT_PRIVATE_KEY_FILE", default=""):
        return Path(path).read_text()
    if encoded := env.str("JWT_PRIVATE_KEY", default=""):
        return encoded if encoded.startswith("-----") else base64.b64decode(encoded).decode()
    raise ImproperlyConfigured("Set JWT_PRIVATE_KEY_FILE (a path) or JWT_PRIVATE_KEY (PEM, or its base64).")


# What secrets in the database are encrypted with, the newest first; see apps/core/sealing.py.
SEALING_KEYS = env.list("SEALING_KEYS", default=[SECRET_KEY])
if any(len(key) < 32 for key in SEALING_KEYS):
    raise ImproperlyConfigured("Each of SEALING_KEYS needs 32 characters or more.")

# What API keys are hashed with, the newest first; see apps/iam/key_secrets.py.
API_KEY_PEPPERS = env.list("API_KEY_PEPPERS", default=[SECRET_KEY])
if any(len(key) < 32 for key in API_KEY_PEPPERS):
    raise ImproperlyConfigured("Each of API_KEY_PEPPERS needs 32 characters or more.")
API_KEYS_PER_WORKSPACE = env.int("API_KEYS_PER_WORKSPACE", default=100)

JWT_PRIVATE_KEY_PEM = _pem()
JWT_ISSUER = env.str("JWT_ISSUER", default="insula")
JWT_AUDIENCE = env.str("JWT_AUDIENCE", default="insula-api")
ACCESS_TOKEN_SECONDS = 15 * 60
# Rotation of signing keys: how long a new one is published before it signs (twice as long as the JWK set may be
# cached), and how often each process looks for news.
SIGNING_KEY_LEAD_SECONDS = env.int("SIGNING_KEY_LEAD_SECONDS", default=600)
SIGNING_KEYS_RELOAD_SECONDS = env.int("SIGNING_KEYS_RELOAD_SECONDS", default=15)
REFRESH_TOKEN_SECONDS = 7 * 24 * 3600
# When a sign-in is over however much it is used, counted from when its person showed who he is.
SIGN_IN_LASTS_DAYS = env.int("SIGN_IN_LASTS_DAYS", default=30)
if SIGN_IN_LASTS_DAYS < 1:
    raise ImproperlyConfigured("SIGN_IN_LASTS_DAYS is a number of days, 1 or more.")
SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": "typ"}

# Hold the secret of a browser that is on its way from one host to another, or to an identity provider and back.
HANDOFF_COOKIE_NAME, SSO_COOKIE_NAME = "insula_handoff", "insula_sso"
MESSAGE_STORAGE, MESSAGES_COOKIE_NAME = "apps.core.page_messages.MessageStorage", "messages"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = False
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_SCHEME == "https"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation"),
        *("gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "screen-wake-lock", "serial", "usb"),
        *("xr-spatial-tracking",),
    )
)

CHECKOUT_ORIGINS = env.list("CHECKOUT_ORIGINS", default=["https://checkout.stripe.com"])
if stand_in := env.str("STRIPE_API_HOST", default=""):
    CHECKOUT_ORIGINS = [*CHECKOUT_ORIGINS, stand_in]

# Where the account's page puts a picture: into the bucket, if there is one.
UPLOAD_ORIGINS = env.list("UPLOAD_ORIGINS", default=[])
if not UPLOAD_ORIGINS and env.str("S3_BUCKET", default=""):
    UPLOAD_ORIGINS = [env.str("S3_ENDPOINT_URL", default="") or "https://*.amazonaws.com"]

_socket = "wss:" if PUBLIC_SCHEME == "https" else "ws:"
_WORKSPACES = f"{PUBLIC_SCHEME}://*.{PLATFORM_HOST}{PUBLIC_PORT}"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        # The socket listens on a port of its own in development.
        "connect-src": [
            SELF,
            *([f"{_socket}//*:{REALTIME_PORT}"] if REALTIME_PORT else []),
            *UPLOAD_ORIGINS,
        ],
        # Signing in, switching workspaces and an operator's way back lead from one of our hosts to another, paying to
        # the provider's page.
        "form-action": [SELF, PLATFORM_URL, _WORKSPACES, *CHECKOUT_ORIGINS],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "upgrade-insecure-requests": PUBLIC_SCHEME == "https",
    },
}
# Unfold's pages evaluate their attributes (Alpine) and bring style blocks, so the admin has a policy of its own.
CSP_OF_ADMIN = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    # Acting in a member's name and looking into a workspace lead to its host.
    "form-action": [SELF, _WORKSPACES],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
    "object-src": ["'none'"],
    "upgrade-insecure-requests": PUBLIC_SCHEME == "https",
}
# Swagger writes styles into its elements.
CSP_OF_DOCS = {**CSP_OF_ADMIN, "script-src": [SELF], "form-action": [SELF]}
# Programs' answers are nothing that a browser should run or frame, whatever stands in them.
CSP_OF_API = {"default-src": ["'none'"], "frame-ancestors": ["'none'"]}

# Pages of these origins may call the API, with tokens; cookies never count there.
CORS_ALLOWED_ORIGINS = frozenset(env.list("CORS_ALLOWED_ORIGINS", default=[]))
for _origin in CORS_ALLOWED_ORIGINS:
    if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d{1,5})?", _origin):
        raise ImproperlyConfigured(f"CORS_ALLOWED_ORIGINS: {_origin!r} is no origin (https://app.example, no path).")

# -- Sizes ----------------------------------------------------------------------------------------------------------
# Bytes of a body, everywhere …
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
# … but where operators upload archives.
BODY_LIMITS = {"/admin/archives/": ARCHIVE_MAX_UPLOAD_BYTES + 1024 * 1024}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # larger ones wait on disk
JSON_MAX_DEPTH = 32
JSON_MAX_VALUES = 50_000

# -- Rate limits: calls and seconds; see apps/edge/limits.py ------------------------------------------------------
RATE_LIMITS = {
    "sensitive": (env.int("RATE_LIMIT_SENSITIVE", default=5), 60),
    "ip": (env.int("RATE_LIMIT_ANONYMOUS", default=100), 60),
    "user": (env.int("RATE_LIMIT_USER", default=1000), 60),
    "api_key": (env.int("RATE_LIMIT_API_KEY", default=1000), 60),
    "workspace": (env.int("RATE_LIMIT_WORKSPACE", default=10_000), 60),
}
RATE_LIMITS_ENFORCED = True

"""Sign-in, tokens, cookies, headers."""

import base64
from pathlib import Path

from csp.constants import NONCE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.settings.base import PLATFORM_HOST, PUBLIC_PORT, PUBLIC_SCHEME, REALTIME_PORT, SECRET_KEY
from config.settings.environment import env

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
REFRESH_TOKEN_SECONDS = 7 * 24 * 3600
SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": "typ"}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = False
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_SCHEME == "https"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CHECKOUT_ORIGINS = env.list("CHECKOUT_ORIGINS", default=["https://checkout.stripe.com"])
if stand_in := env.str("STRIPE_API_HOST", default=""):
    CHECKOUT_ORIGINS = [*CHECKOUT_ORIGINS, stand_in]

_socket = "wss:" if PUBLIC_SCHEME == "https" else "ws:"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/", "/api/docs/"],
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        # The socket listens on a port of its own in development.
        "connect-src": [SELF, f"{_socket}//*:{REALTIME_PORT}"] if REALTIME_PORT else [SELF],
        # Signing in and switching workspaces lead from one of our hosts to another, paying to the provider's page.
        "form-action": [SELF, f"{PUBLIC_SCHEME}://*.{PLATFORM_HOST}{PUBLIC_PORT}", *CHECKOUT_ORIGINS],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    },
}

# -- Rate limits: calls and seconds; see apps/edge/limits.py ------------------------------------------------------
RATE_LIMITS = {
    "sensitive": (env.int("RATE_LIMIT_SENSITIVE", default=5), 60),
    "ip": (env.int("RATE_LIMIT_ANONYMOUS", default=100), 60),
    "user": (env.int("RATE_LIMIT_USER", default=1000), 60),
    "api_key": (env.int("RATE_LIMIT_API_KEY", default=1000), 60),
    "workspace": (env.int("RATE_LIMIT_WORKSPACE", default=10_000), 60),
}
RATE_LIMITS_ENFORCED = True

"""Production: HTTPS only."""

from config.settings.environment import env
from config.settings.product import *  # noqa: F403
from config.settings.product import PUBLIC_SCHEME

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^health", r"^metrics$", r"^tls/allowed$"]  # asked inside the machine room
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
# Taken off whatever comes from others than TRUSTED_PROXIES.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Browsers accept these names only with Secure, without a domain, for all paths: no sub-domain can plant one.
if PUBLIC_SCHEME == "https":
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    HANDOFF_COOKIE_NAME, SSO_COOKIE_NAME, LANGUAGE_COOKIE_NAME = "__Host-handoff", "__Host-sso", "__Host-language"
    MESSAGES_COOKIE_NAME, LANGUAGE_COOKIE_SECURE = "__Host-messages", True
# EdgeMiddleware does the work of the two middlewares that these miss; apps.edge.checks asks for it.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002"]
DEMO = False

"""Development: plain HTTP on localhost, readable logs, files from their sources."""

import os

os.environ.setdefault("PUBLIC_SCHEME", "http")
os.environ.setdefault("PUBLIC_PORT", ":" + os.environ.get("PORT", "8000"))
os.environ.setdefault("LOG_FORMAT", "console")
os.environ.setdefault("OUTBOUND_PRIVATE_ADDRESSES", "true")  # an identity provider on this machine

from config.settings.environment import env
from config.settings.product import *  # noqa: F403
from config.settings.product import INSTALLED_APPS, SHARED_APPS, STORAGES

DEBUG = env.bool("DEBUG", default=False)
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = True
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
DEMO = True
RATE_LIMITS_ENFORCED = env.str("INSULA_RATE_LIMITS", default="on") not in ("off", "false", "0")
SILENCED_SYSTEM_CHECKS = ["djstripe.W002"]  # the stand-in is meant
# The demo's command lives with the development server, which no image ships.
SHARED_APPS = [*SHARED_APPS, "devserver"]
INSTALLED_APPS = [*INSTALLED_APPS, "devserver"]

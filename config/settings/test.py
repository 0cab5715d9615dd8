"""Tests: as development, with captured mail and files in a directory of their own."""

import os
import tempfile

os.environ.setdefault("PUBLIC_SCHEME", "http")
os.environ.setdefault("LOG_FORMAT", "console")

from config.settings.product import *  # noqa: F403
from config.settings.product import STORAGES

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
MEDIA_ROOT = tempfile.mkdtemp(prefix="insula-test-media-")
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DEMO = True
SILENCED_SYSTEM_CHECKS = ["djstripe.W002"]  # the stand-in is meant

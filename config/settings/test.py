"""Tests: as development, with captured mail and files in a directory of their own."""

import os
import re
import tempfile

os.environ.setdefault("PUBLIC_SCHEME", "http")
os.environ.setdefault("LOG_FORMAT", "console")

# Tests of the replica make one of their own database.
os.environ["REPLICA_DATABASE_URL"] = ""

# Each test process has a database of its own, and so a Valkey database of its own: nothing cached, queued or pushed
# by one may reach another. Its child processes inherit both.
if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and "INSULA_TEST_VALKEY" not in os.environ:
    os.environ["REDIS_URL"] = re.sub(r"db=\d+|(?<=\d/)\d+$", "", os.environ["REDIS_URL"]).rstrip("?/")
    os.environ["REDIS_URL"] += f"{'?db=' if os.environ['REDIS_URL'].startswith('unix:') else '/'}{int(worker[2:]) + 1}"
    os.environ["INSULA_TEST_VALKEY"] = worker

from config.settings.product import *  # noqa: F403
from config.settings.product import PASSWORD_HASHERS, STORAGES

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# Hashes of any cost verify, so processes with other settings take these, too.
PASSWORD_HASHERS = ["tests.fixtures.hashing.QuickArgon2", *PASSWORD_HASHERS[1:]]
MEDIA_ROOT = tempfile.mkdtemp(prefix="insula-test-media-")
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DEMO = True
RATE_LIMITS_ENFORCED = False  # the tests of the limits turn them on
SILENCED_SYSTEM_CHECKS = ["djstripe.W002"]  # the stand-in is meant
TENANT_POOL_SIZE = 0  # tests that want a pool fill one

# Read once: tests count statements.
SIGNING_KEYS_RELOAD_SECONDS = 3600

"""Development: plain HTTP on localhost, readable logs, files from their sources."""

from config.settings.environment import env
from config.settings.product import *  # noqa: F403
from config.settings.product import STORAGES

DEBUG = env.bool("DEBUG", default=False)
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = True
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
DEMO = True

"""The HTTP process."""

import os

from django.core.wsgi import get_wsgi_application

from apps.edge.requests import reading_utf8

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

application = reading_utf8(get_wsgi_application())

"""Development's settings and one bare view beside the product's own."""

from config.settings.dev import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

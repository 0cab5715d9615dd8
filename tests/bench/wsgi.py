"""The product, and Django without any of its middleware, as two applications of one module."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")

product = get_wsgi_application()

from tests.bench.bare import BareHandler  # noqa: E402  (Django is set up only now)

bare = BareHandler()

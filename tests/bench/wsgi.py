"""The product and the bare view in one server process."""

import os
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")

product = get_wsgi_application()

from tests.bench.bare import PATH, BareHandler  # noqa: E402  (Django is set up only now)

bare = BareHandler()


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """One server, two ways in."""
    handler = bare if environ["PATH_INFO"].startswith(PATH) else product
    return handler(environ, start_response)

"""The realtime process: ``uvicorn config.asgi:application``; pages and the API are served by ``config.wsgi``."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
django.setup()

from config.routing import application  # noqa: E402  (models can be imported only after set-up)

__all__ = ["application"]

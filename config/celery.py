"""The Celery application."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready
from django.conf import settings
from prometheus_client import start_http_server

from apps.core.figures import registry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("insula")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def _tell_figures(**_: Any) -> None:
    """Figures of the pool's processes, on a port that no proxy leads to (``WORKER_METRICS_PORT``)."""
    if settings.WORKER_METRICS_PORT:
        start_http_server(settings.WORKER_METRICS_PORT, registry=registry())

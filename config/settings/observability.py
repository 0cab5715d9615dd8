"""Logs as structured lines with context; who may read the metrics."""

import os
from pathlib import Path

import structlog

from apps.core.logs import AccessFormatter, add_context, hide_path, redact
from config.settings.environment import env

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="json")
# One line for each answer.
ACCESS_LOG = env.bool("ACCESS_LOG", default=LOG_FORMAT == "json")

_shared: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    add_context,
    hide_path,
    redact,
]
_renderer: structlog.typing.Processor = (
    structlog.processors.JSONRenderer() if LOG_FORMAT == "json" else structlog.dev.ConsoleRenderer(colors=False)
)
structlog.configure(
    processors=[*_shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,  # once more, because tracebacks become text only here
                _renderer,
            ],
        },
        "access": {"()": AccessFormatter, "as_json": LOG_FORMAT == "json"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "structured"},
        "access": {"class": "logging.StreamHandler", "formatter": "access"},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False, "level": "WARNING"},
        # A refusal stands in the line of its answer already.
        "django.request": {"level": "ERROR"},
        "insula.access": {
            "handlers": ["access"],
            "propagate": False,
            "level": "INFO" if ACCESS_LOG else "CRITICAL",
        },
        "stripe": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}

# -- Metrics ------------------------------------------------------------------------------------------------------
# Where the processes of one machine keep their figures together (prometheus_client reads the variable itself).
if directory := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(directory).mkdir(parents=True, exist_ok=True)
# Who may read /metrics: whoever sends this as a bearer token, and callers of these networks that came by no proxy.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_NETWORKS = env.list("METRICS_NETWORKS", default=["127.0.0.0/8", "::1/128"])
# Tenants with figures of their own, the busiest first; all others are "other".
METRICS_TENANTS = env.int("METRICS_TENANTS", default=20)
# Above 0: the port on which a Celery worker tells its figures.
WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", default=0)

"""Background work of the IAM app."""

from apps.core.jobs import platform_task
from apps.iam import services


@platform_task("iam.purge_expired")
def purge_expired() -> None:
    """Delete what ended a month ago."""
    services.purge_expired()

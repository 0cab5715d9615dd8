"""Background work of the edge."""

from apps.core.jobs import platform_task
from apps.edge import idempotency


@platform_task("edge.purge_idempotency_keys")
def purge_idempotency_keys() -> None:
    """Forget answers that are older than a day."""
    idempotency.purge_expired()

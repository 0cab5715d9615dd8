"""Telling how far a job is, from within a transaction that cannot tell: on a connection of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from apps.archives.errors import LeaseLost

LEASE = timedelta(minutes=5)
_EVERY_SECONDS = 0.5
_TELL = """
update archives_job set step = %s, progress = %s, lease_until = now() + %s
 where id = %s and status = 'RUNNING' and attempts = %s
"""

Tell = Callable[[str, float], None]


def silent(step: str, share: float) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class JobProgress:
    """Writes step and progress of one job and holds its lease; a job that moves keeps it, one that hangs loses it."""

    job_id: UUID
    attempt: int
    _connection: Any = field(default=None)
    _told_at: float = field(default=-1e9)
    _step: str = field(default="")

    def __call__(self, step: str, share: float) -> None:
        """Note that `step` is at work and that `share` (0–1) of the whole job is done.

        Raises:
            LeaseLost: another worker has taken the job over.
        """
        now = time.monotonic()
        if step == self._step and now - self._told_at < _EVERY_SECONDS:
            return
        self._step, self._told_at = step, now
        if self._connection is None:
            self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
        with self._connection.cursor() as cursor:
            cursor.execute(_TELL, [step[:120], min(99, int(share * 100)), LEASE, self.job_id, self.attempt])
            if not cursor.rowcount:
                raise LeaseLost(f"The job {self.job_id} is no longer this worker's.")

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

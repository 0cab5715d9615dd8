"""What beat asks for is something that a worker does."""

import pytest
from django.conf import settings
from django.db import connection

from config.celery import app
from devserver.processes import QUEUES
from tests.fixtures.tenants import NewTenant


def test_every_sweep_is_a_task_of_a_queue_that_workers_listen_to() -> None:
    app.autodiscover_tasks(force=True)
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert app.tasks[entry["task"]].queue in QUEUES.split(","), name
        # While no worker listens it is asked for again and again; that must not be done again and again afterwards.
        assert 300 <= entry["options"]["expires"] <= 20 * max(entry["schedule"].total_seconds(), 15), name


def test_every_task_belongs_to_a_queue_that_workers_listen_to() -> None:
    app.autodiscover_tasks(force=True)
    ours = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert [task.name for task in ours if task.queue not in QUEUES.split(",")] == []


@pytest.mark.parametrize("name", [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()])
def test_every_sweep_runs_as_a_worker_runs_it(committed: NewTenant, name: str) -> None:
    """With tenants to visit and no transaction of a test around it, in which a statement without one goes unseen."""
    app.autodiscover_tasks(force=True)
    assert not connection.in_atomic_block
    app.tasks[name].run()

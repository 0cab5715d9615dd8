"""What beat asks for is something that a worker does."""

from django.conf import settings

from config.celery import app
from devserver.processes import QUEUES


def test_every_sweep_is_a_task_of_a_queue_that_workers_listen_to() -> None:
    app.autodiscover_tasks(force=True)
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert app.tasks[entry["task"]].queue in QUEUES.split(","), name


def test_every_task_belongs_to_a_queue_that_workers_listen_to() -> None:
    app.autodiscover_tasks(force=True)
    ours = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert [task.name for task in ours if task.queue not in QUEUES.split(",")] == []

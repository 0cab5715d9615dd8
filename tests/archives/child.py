"""A worker that does one job; tests kill it."""

import sys
from uuid import UUID

import django

if __name__ == "__main__":
    django.setup()
    from apps.archives.services import run_job

    run_job(job_id=UUID(sys.argv[1]))

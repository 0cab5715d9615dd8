"""Everything that must be true before the first request: translations, schemas, webhook, demo data.

One process for all of it, because importing Django costs more than any of the steps does when nothing is to do.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.core.management import CommandError, call_command

from devserver.errors import StartupError
from devserver.processes import uses_sandbox
from devserver.stripe_webhook import register_webhook


def main() -> int:
    """Run every step, each of which may be repeated at no harm; print the time each took."""
    try:
        with _timed("import Django"):
            django.setup()
        for command in ("compile_translations", "migrate_platform"):
            with _timed(command):
                call_command(command)
        if uses_sandbox(os.environ):
            with _timed("register webhook"):
                register_webhook(os.environ)
        with _timed("seed_demo"):
            call_command("seed_demo")
    except (StartupError, CommandError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def _timed(step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"{step}: {time.monotonic() - started:.2f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())

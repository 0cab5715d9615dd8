"""Everything that must be true before the first request: messages, schemas, fonts, demo data.

One process for all of it, because importing Django costs more than any of the steps does when nothing is to do.
"""

from __future__ import annotations

import sys
import time

import django
from django.core.management import CommandError, call_command

from devserver.errors import StartupError
from devserver.layout import REPOSITORY
from devserver.messages import compile_messages

COMMANDS = ("migrate_platform", "prepare_fonts", "seed_demo")


def main() -> int:
    """Run every step, each of which may be repeated at no harm; print the time each took."""
    try:
        _timed("messages", lambda: compile_messages(REPOSITORY / "locale"))
        django.setup()
        for name in COMMANDS:
            _timed(name, lambda command=name: call_command(command))
    except (StartupError, CommandError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _timed(name: str, step: object) -> None:
    started = time.monotonic()
    assert callable(step)
    step()
    print(f"{name}: {time.monotonic() - started:.2f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The command line of the development server; `make help` shows the short ways to it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

from devserver.against import run_against
from devserver.attached import run_command, run_with_services
from devserver.environment import build_environment, given_variables
from devserver.errors import StartupError
from devserver.layout import Layout, data_directory, prepare_layout
from devserver.lock import DirectoryLock
from devserver.postgres import Tuning
from devserver.processes import python
from devserver.run import run
from devserver.suite import run_suite

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run one subcommand; its exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(options.verb(options))
    except StartupError as error:
        print(f"\n{error}\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    layout, given = _place(options)
    environment = build_environment(layout, given, settings=options.settings)
    started_at = float(os.environ.get("INSULA_STARTED_AT") or time.time())
    return run(layout, environment, started_at=started_at)


def _services(options: argparse.Namespace) -> int:
    layout, given = _place(options)
    environment = build_environment(layout, given, settings=options.settings)
    tuning = Tuning(disposable=options.disposable, max_connections=options.max_connections)
    return run_with_services(layout, environment, tuning, _command(options), join=True)


def _environment(options: argparse.Namespace) -> int:
    layout, given = _place(options)
    return run_command(build_environment(layout, given, settings=options.settings).variables, _command(options))


def _against(options: argparse.Namespace) -> int:
    layout, given = _place(options)
    return run_against(layout, given, _command(options), settings=options.settings)


def _demo(options: argparse.Namespace) -> int:
    layout, given = _place(options)
    command = python("-m", "devserver.demo", *_command(options))
    return run_against(layout, given, command, settings=options.settings)


def _test(options: argparse.Namespace) -> int:
    given = given_variables()
    return run_suite(data_directory(options.data or given.get("INSULA_DATA")) / "test", given, _command(options))


def _remove(options: argparse.Namespace) -> int:
    layout, _ = _place(options)
    with DirectoryLock(layout.lock, layout.root):
        layout.remove()
    print(f"Removed {layout.root}")
    return 0


def _place(options: argparse.Namespace) -> tuple[Layout, dict[str, str]]:
    given = given_variables()
    return prepare_layout(data_directory(options.data or given.get("INSULA_DATA"))), given


def _command(options: argparse.Namespace) -> list[str]:
    words: list[str] = options.command
    return words[1:] if words[:1] == ["--"] else words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devserver", description=__doc__)
    parser.add_argument("--data", help="data directory (default: INSULA_DATA, else .data in the repository)")
    parser.add_argument("--settings", default="config.settings.dev", help="default for DJANGO_SETTINGS_MODULE")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verbs.add_parser("run", help="start everything and keep it up").set_defaults(verb=_run)
    services = verbs.add_parser("services", help="run a command with PostgreSQL and Valkey up")
    services.add_argument("--disposable", action="store_true", help="fast; a power cut may lose the cluster")
    services.add_argument("--max-connections", type=int, default=200)
    services.set_defaults(verb=_services)
    against = verbs.add_parser("against", help="run a command against the running Insula, or one started for it")
    against.set_defaults(verb=_against)
    environment = verbs.add_parser("environment", help="run a command with the environment, but no server started")
    environment.set_defaults(verb=_environment)
    demo = verbs.add_parser("demo", help="drive the main job against the running Insula, or one started for it")
    demo.set_defaults(verb=_demo)
    test = verbs.add_parser("test", help="run pytest on servers of its own")
    test.set_defaults(verb=_test)
    for accepting in (services, against, environment, demo, test):
        accepting.add_argument("command", nargs=argparse.REMAINDER, help="the command, or its arguments, after `--`")
    verbs.add_parser("remove", help="delete the data directory").set_defaults(verb=_remove)
    return parser


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

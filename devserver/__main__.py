"""The command line of the development server: `python -m devserver run|services|test`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from devserver.attached import run_command
from devserver.environment import build_environment, given_variables
from devserver.errors import StartupError
from devserver.layout import data_directory, prepare_layout
from devserver.postgres import Tuning


def main(arguments: Sequence[str]) -> int:
    """Run one subcommand; its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except StartupError as error:
        print(f"\n{error}\n", file=sys.stderr)
        return 1


def _services(options: argparse.Namespace) -> int:
    given = given_variables()
    layout = prepare_layout(data_directory(options.data or given.get("INSULA_DATA")))
    environment = build_environment(layout, given, settings=options.settings)
    tuning = Tuning(disposable=options.disposable, max_connections=options.max_connections)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    return run_command(layout, environment, tuning, command, join=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devserver", description=__doc__)
    verbs = parser.add_subparsers(required=True)

    services = verbs.add_parser("services", help="run a command with PostgreSQL and Valkey up")
    services.add_argument("--data", help="data directory (default: INSULA_DATA, else .data)")
    services.add_argument("--settings", default="config.settings.dev", help="settings module for the command")
    services.add_argument("--disposable", action="store_true", help="fast and unsafe: no fsync")
    services.add_argument("--max-connections", type=int, default=200)
    services.add_argument("command", nargs=argparse.REMAINDER, help="after `--`; without it, wait for Ctrl-C")
    services.set_defaults(run=_services)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

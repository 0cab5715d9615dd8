"""Migrate the template schema and every tenant's."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.tenancy import migrating_tenants
from apps.tenancy.migrating import shared_is_behind
from apps.tenancy.migrating_tenants import Options, Result, migrate_tenants
from apps.tenancy.models import Tenant
from apps.tenancy.progress import Progress

_SHOWN = 20


class Command(BaseCommand):
    """Migrate every tenant's schema that is behind; each as a whole, each on its own."""

    help = "Migrate the template schema and every tenant's schema that is behind."
    requires_system_checks = ()  # they take longer than a run with nothing to do

    def add_arguments(self, parser: CommandParser) -> None:
        """Options; their defaults suit a deploy beside running workers."""
        normal = Options()
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is pending")
        parser.add_argument("--tenant", metavar="KEY", default="", help="this one only")
        parser.add_argument("--jobs", type=int, default=normal.jobs, help="schemas at a time (%(default)s)")
        parser.add_argument(
            "--lock-timeout",
            type=float,
            default=normal.lock_timeout_ms / 1000,
            metavar="SECONDS",
            help="how long a statement waits for a table that is in use before others go first (%(default)s)",
        )
        parser.add_argument("--attempts", type=int, default=normal.attempts, help="per schema (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, or look.

        Raises:
            CommandError: shared tables are behind, no such tenant, or a tenant was not migrated (all others were).
        """
        key: str = options["tenant"]
        if options["check"]:
            self._check(key)
            return
        if shared_is_behind():
            raise CommandError("The shared tables are behind; migrate_platform takes them along.")
        if key and not Tenant.objects.filter(key=key).exists():
            raise CommandError(f"There is no tenant {key}.")
        if options["jobs"] < 1 or options["attempts"] < 1 or options["lock_timeout"] <= 0:
            raise CommandError("--jobs, --attempts and --lock-timeout are above zero.")
        chosen = Options(
            jobs=options["jobs"],
            lock_timeout_ms=max(1, round(options["lock_timeout"] * 1000)),
            attempts=options["attempts"],
            key=key,
        )
        stream = self.stdout
        progress = Progress(lambda text: stream.write(text, ending=""), is_terminal=stream.isatty())
        self._report(migrate_tenants(progress, chosen))

    def _check(self, key: str) -> None:
        if shared_is_behind():
            self.stdout.write("shared tables are behind")
            sys.exit(1)
        units = [unit for unit in migrating_tenants.pending() if key in ("", unit.key)]
        for unit in units[:_SHOWN]:
            self.stdout.write(f"{unit.label} is behind")
        if len(units) > _SHOWN:
            self.stdout.write(f"and {len(units) - _SHOWN} more")
        if units:
            sys.exit(1)
        self.stdout.write("every schema is up to date")

    def _report(self, result: Result) -> None:
        self.stdout.write(f"{result.migrated} schemas migrated, {len(result.failed)} failed")
        if result.failed:
            raise CommandError("\n".join(f"{label}: {reason}" for label, reason in result.failed.items()))

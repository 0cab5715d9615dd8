"""Make a new tenant out of an archive."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.archives import services
from apps.core.errors import DomainError


class Command(BaseCommand):
    """Import a tenant without the queue; for operators on the server."""

    help = "Make a new tenant out of an archive; other tenants are not touched."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which file, and what the tenant is to be called here."""
        parser.add_argument("archive", metavar="FILE", type=Path)
        parser.add_argument("--name", default="", help="instead of the archive's, when that is taken")
        parser.add_argument("--slug", default="", help="the first part of its host")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; prints a line a step."""
        try:
            tenant, notes = services.import_from_file(
                path=options["archive"], name=options["name"], slug=options["slug"], tell=self._tell
            )
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        for note in notes:
            self.stdout.write(note)
        self.stdout.write(self.style.SUCCESS(f"{tenant.key} {tenant.name}: {tenant.url}"))

    def _tell(self, step: str, share: float) -> None:
        self.stdout.write(f"{share:4.0%} {step}")

"""Write the archive of one tenant to a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.archives import services
from apps.core.errors import DomainError


class Command(BaseCommand):
    """Export a tenant without the queue; for operators on the server."""

    help = "Write everything of one tenant into an archive (docs/archive-format.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which tenant, and where to."""
        parser.add_argument("tenant", metavar="KEY", help="the tenant's key or slug")
        parser.add_argument("--output", metavar="FILE", required=True, type=Path, help="a new file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; prints a line a step."""
        target: Path = options["output"]
        if target.exists():
            raise CommandError(f"{target} exists already.")
        try:
            made = services.export_to_file(key=options["tenant"], target=target, tell=self._tell)
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(member.rows for member in made.members)
        self.stdout.write(self.style.SUCCESS(f"{target}: {len(made.members)} members, {rows} rows"))

    def _tell(self, step: str, share: float) -> None:
        self.stdout.write(f"{share:4.0%} {step}")

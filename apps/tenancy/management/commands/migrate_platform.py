"""Bring the whole database up to date."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.tenancy import migrating, rollout
from apps.tenancy.default_workspace import default_workspace
from apps.tenancy.progress import Progress


class Command(BaseCommand):
    """Migrate shared tables, the template schema and every tenant's schema."""

    help = "Migrate shared tables, the template schema and every tenant's schema."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; prints how far it is.

        Raises:
            CommandError: a tenant could not be migrated; all others were.
        """
        stream = self.stdout
        result = migrating.migrate_platform(
            Progress(lambda text: stream.write(text, ending=""), is_terminal=stream.isatty())
        )
        if rollout.is_single():
            default_workspace()
        if result.failed:
            raise CommandError("\n".join(f"{label}: {reason}" for label, reason in result.failed.items()))

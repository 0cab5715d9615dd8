"""Bring the whole database up to date."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.tenancy import migrating


class Command(BaseCommand):
    """Migrate shared tables, the template schema and every tenant's schema."""

    help = "Migrate shared tables, the template schema and every tenant's schema."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; prints one line a step."""
        migrating.migrate_platform(self.stdout.write)

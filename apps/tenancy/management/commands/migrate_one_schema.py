"""Django's own ``migrate`` for the one schema that the connection is pinned to."""

from django.core.management.commands.migrate import Command as DjangoMigrate


class Command(DjangoMigrate):
    """Not for people: use ``migrate_platform``."""

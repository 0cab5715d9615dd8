"""Make the static font files that documents are set with."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.core.documents.fonts import prepare_fonts


class Command(BaseCommand):
    """Fill FONT_DIR from the font packages; does nothing when it is up to date."""

    help = "Make the static font files that documents are set with."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        prepare_fonts(Path(settings.FONT_DIR))

"""Compile message catalogues without GNU gettext."""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Write ``.mo`` beside each ``.po`` that is newer."""

    help = "Compile every catalogue under locale/ that changed; needs no gettext binary."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; prints what was compiled."""
        for folder in settings.LOCALE_PATHS:
            for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
                target = source.with_suffix(".mo")
                if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                    continue
                with source.open("rb") as file:
                    catalogue = read_po(file)
                # Written aside and moved, so that a running server never reads half a file; under a name of its own,
                # because several processes may compile at the same moment.
                with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as aside:
                    write_mo(aside, catalogue)
                Path(aside.name).chmod(0o644)
                Path(aside.name).replace(target)
                self.stdout.write(f"compiled {source.parent.parent.name}/{source.name}")

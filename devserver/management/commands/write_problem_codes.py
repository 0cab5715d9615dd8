"""Writes the catalogue of problem codes into the documentation."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from config.problem_catalogue import as_markdown

PROBLEMS = Path(__file__).parents[3] / "docs" / "problems.md"


class Command(BaseCommand):
    """``write_problem_codes``."""

    help = "Write docs/problems.md from the errors in the code."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        PROBLEMS.write_text(as_markdown())

"""Compile translations without the gettext programs, which a fresh machine does not have."""

from __future__ import annotations

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from devserver.errors import StartupError


def compile_messages(locale_directory: Path) -> list[Path]:
    """Write a `.mo` beside every `.po` that is newer than it; the catalogues compiled.

    Raises:
        StartupError: a catalogue cannot be read; the message names the file and the line.
    """
    return [source for source in sorted(locale_directory.glob("*/LC_MESSAGES/*.po")) if _compile(source)]


def _compile(source: Path) -> bool:
    target = source.with_suffix(".mo")
    changed_at = source.stat().st_mtime_ns
    if target.exists() and target.stat().st_mtime_ns >= changed_at:
        return False
    try:
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parents[1].name, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise StartupError(f"{source} is not a readable catalogue: {error}") from error
    unfinished = target.with_suffix(".mo.new")
    with unfinished.open("wb") as file:
        write_mo(file, catalogue)
    unfinished.replace(target)
    return True

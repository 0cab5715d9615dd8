"""Whether the database has been prepared for exactly this source before."""

from __future__ import annotations

import hashlib
from pathlib import Path

from devserver.layout import REPOSITORY, Layout

# All that decides what tables there are.
SOURCES = ("apps/*/migrations/*.py", "apps/tenancy/*.py", "config/settings/*.py", "requirements/base.txt")


def is_prepared(layout: Layout) -> bool:
    """True when the last preparation that succeeded saw the same migrations, settings and requirements."""
    try:
        return _mark(layout).read_text() == _fingerprint()
    except OSError:
        return False


def mark_prepared(layout: Layout) -> None:
    """Remember that a preparation has succeeded."""
    _mark(layout).write_text(_fingerprint())


def _mark(layout: Layout) -> Path:
    return layout.root / "prepared"


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for file in sorted(REPOSITORY.glob(pattern)):
            digest.update(f"{file.relative_to(REPOSITORY)}\0".encode() + file.read_bytes())
    return digest.hexdigest()

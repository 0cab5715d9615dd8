"""Reading the end of a log for an error message."""

from __future__ import annotations

from pathlib import Path


def last_lines(path: Path, count: int = 15) -> str:
    """The last lines of a log file, indented; a note when there is none."""
    if not path.exists():
        return f"    (no log at {path})"
    lines = path.read_text(errors="replace").splitlines()[-count:]
    return "\n".join([f"    {line}" for line in lines] + [f"    (log: {path})"])

"""Which operating-system account runs PostgreSQL, and what that account can reach."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from devserver.errors import StartupError

UNPRIVILEGED_NAMES = ("nobody", "daemon", "games")


@dataclass(frozen=True)
class Account:
    """An account to which root steps down: PostgreSQL refuses to run as root."""

    uid: int
    gid: int
    name: str


def server_account() -> Account | None:
    """The account PostgreSQL runs as when we are root; None when it can run as ourselves.

    Raises:
        StartupError: as root on a machine without any unprivileged account, or as a user id without
            a passwd entry (initdb refuses both).
    """
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise StartupError(
                f"User id {os.geteuid()} has no name on this machine, and PostgreSQL's initdb insists on one. "
                "Run as a named user, or set DATABASE_URL to a running server."
            ) from None
        return None
    for name in UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, name)
    raise StartupError(
        "PostgreSQL refuses to run as root and this machine has no unprivileged account "
        f"({', '.join(UNPRIVILEGED_NAMES)}). Run as an ordinary user, or set DATABASE_URL."
    )


def can_reach(path: Path, account: Account) -> bool:
    """Whether the account may traverse every directory above the path."""
    for parent in path.resolve().parents:
        if not parent.exists():
            continue
        status = parent.stat()
        if status.st_uid == account.uid:
            wanted = stat.S_IXUSR
        elif status.st_gid == account.gid:
            wanted = stat.S_IXGRP
        else:
            wanted = stat.S_IXOTH
        if not status.st_mode & wanted:
            return False
    return True

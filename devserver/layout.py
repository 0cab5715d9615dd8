"""Where everything lies inside a data directory, and what must lie outside it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from devserver.accounts import Account, can_reach, server_account
from devserver.errors import StartupError

REPOSITORY = Path(__file__).resolve().parent.parent
# The kernel's limit for a socket path is 107 bytes on Linux and 103 on macOS; the lower one everywhere.
SOCKET_PATH_LIMIT = 103
LONGEST_SOCKET_NAME = "/postgres/.s.PGSQL.5432"
# Not tempfile.gettempdir(): TMPDIR may itself be private or long.
SHARED_PLACES = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - each directory there is checked to be ours


@dataclass(frozen=True)
class Layout:
    """The places of one data directory; `prepare_layout` creates them."""

    root: Path
    cluster: Path
    sockets: Path
    outside: Path | None
    account: Account | None

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def postgres_socket_dir(self) -> Path:
        return self.sockets / "postgres"

    @property
    def valkey_dir(self) -> Path:
        return self.root / "valkey"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def remove(self) -> None:
        """Delete the data directory and what was placed outside it."""
        for directory in (self.root, self.outside):
            if directory is not None:
                shutil.rmtree(directory, ignore_errors=True)


def data_directory(chosen: str | None = None) -> Path:
    """The data directory: as chosen (relative to the repository), or `.data` in the repository."""
    return (REPOSITORY / Path(chosen or ".data").expanduser()).resolve()


def prepare_layout(root: Path) -> Layout:
    """Create the directories of a data directory.

    PostgreSQL's cluster and the sockets move to a directory under /var/tmp, named by a hash of the data
    directory, when the server's account cannot reach the data directory (root with a private home) or when
    the socket's path would be too long for the kernel or would need quoting in a URL.

    Raises:
        StartupError: a directory cannot be created, or somebody else owns the one under /var/tmp.
    """
    account = server_account()
    # Root's data directory must let the server's account pass through to its cluster.
    mode = 0o711 if account else 0o700
    try:
        root.mkdir(parents=True, exist_ok=True)
        root = root.resolve()
        root.chmod(mode)
    except OSError as error:
        raise StartupError(f"The data directory {root} cannot be used: {error.strerror}.") from error

    unreachable = account is not None and not can_reach(root / "postgres", account)
    outside = _place_outside(root, mode) if unreachable or not _can_hold_sockets(root / "run") else None
    layout = Layout(
        root=root,
        cluster=(outside if outside and unreachable else root) / "postgres",
        sockets=(outside or root) / "run",
        outside=outside,
        account=account,
    )
    layout.logs.mkdir(mode=0o700, exist_ok=True)
    layout.valkey_dir.mkdir(mode=0o700, exist_ok=True)
    layout.sockets.mkdir(mode=mode, exist_ok=True)
    layout.postgres_socket_dir.mkdir(mode=0o700, exist_ok=True)
    if account:
        os.chown(layout.postgres_socket_dir, account.uid, account.gid)
    return layout


def shared_place(name: str, mode: int) -> Path:
    """A directory of our own under /var/tmp or /tmp, reachable by every account.

    Raises:
        StartupError: neither place is writable, or the name is taken by another user (or a link).
    """
    for place in SHARED_PLACES:
        directory = place / f"insula-{os.geteuid()}-{name}"
        try:
            directory.mkdir(mode=mode)
        except FileExistsError:
            status = directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                raise StartupError(f"{directory} is not ours; remove it, then start again.") from None
        except OSError:
            continue
        directory.chmod(mode)
        return directory
    raise StartupError("Neither /var/tmp nor /tmp is writable; one of them is needed for a short socket path.")


def _can_hold_sockets(directory: Path) -> bool:
    # Celery and redis-py read an escaped path in a URL differently, so no path needs escaping.
    plain = re.fullmatch(r"[A-Za-z0-9/._~-]+", str(directory)) is not None
    return plain and len(str(directory)) + len(LONGEST_SOCKET_NAME) <= SOCKET_PATH_LIMIT


def _place_outside(root: Path, mode: int) -> Path:
    return shared_place(hashlib.sha256(os.fsencode(root)).hexdigest()[:12], mode)

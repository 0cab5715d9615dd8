"""Files of a tenant in storage, and the files that exports and imports leave there."""

from collections.abc import Iterator
from contextlib import suppress

from django.core.files.storage import default_storage

EXPORTS_FOLDER = "archives/"
# Files of a tenant that stay behind: exports, and pictures that wait for their confirmation here.
STAYING = (EXPORTS_FOLDER, "avatars/uploads/")


def tenant_prefix(tenant_id: object) -> str:
    """The folder of one tenant's files, with its slash."""
    return f"tenants/{tenant_id}/"


def export_key(tenant_id: object, name: str) -> str:
    """Where an export is stored: among the tenant's files, so that it goes when they go, and in no archive itself."""
    return f"{tenant_prefix(tenant_id)}{EXPORTS_FOLDER}{name}.zip"


def paths_below(prefix: str) -> Iterator[str]:
    """Every file below a folder, by its path from there, in order; nothing where there is no such folder."""
    yield from _walk(prefix, "")


def remove(key: str) -> None:
    """Remove one file, if it is there."""
    if key:
        with suppress(FileNotFoundError):
            default_storage.delete(key)


def remove_below(prefix: str) -> None:
    """Remove every file below a folder, and the folders where storage has such things."""
    folders = {""}
    for path in list(paths_below(prefix)):
        default_storage.delete(prefix + path)
        parts = path.split("/")[:-1]
        folders |= {"/".join(parts[:depth]) + "/" for depth in range(1, len(parts) + 1)}
    for folder in sorted(folders, key=len, reverse=True):
        # Object storage has no folders; on a disk an empty one is left to be removed by itself.
        with suppress(OSError, NotImplementedError):
            default_storage.delete((prefix + folder).rstrip("/"))


def _walk(prefix: str, folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir((prefix + folder).rstrip("/"))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in sorted(files):
        if name:
            yield folder + name
    for name in sorted(folders):
        if name:
            yield from _walk(prefix, f"{folder}{name}/")

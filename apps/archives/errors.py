"""Refusals of the archives app."""

from apps.core.errors import Conflict, DomainError, NotFound


class ArchiveRefused(DomainError):
    """The file is not an archive that can be imported here; the detail says why."""

    code, status, title = "archive_refused", 422, "This archive cannot be imported"


class ExportRunning(Conflict):
    """One export of a workspace at a time."""

    code, title = "export_running", "An export is being prepared already"


class ArchiveNotReady(Conflict):
    """The export is still being prepared, or it failed."""

    code, title = "archive_not_ready", "This archive is not ready"


class ArchiveNotFound(NotFound):
    """There is no such archive, or its time is over."""

    code, title = "archive_not_found", "There is no such archive"


class LeaseLost(RuntimeError):
    """Another worker took the job over; this one must not write any more."""


class ImportRunning(Conflict):
    """The same archive is being imported already."""

    code, title = "import_running", "This archive is being imported already"

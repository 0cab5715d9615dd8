"""Opening an archive that a stranger may have made: nothing of it is believed before it was checked."""

import hashlib
import hmac
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings

from apps.archives import format as names
from apps.archives import rows
from apps.archives.errors import ArchiveRefused
from apps.archives.format import CHECKSUMS, MANIFEST, Manifest, Member
from apps.archives.progress import Tell, silent

_MAX_MANIFEST = 64 * 1024 * 1024
_CHUNK = 1024 * 1024
_ENCRYPTED = 0x1
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class Archive:
    """An open archive whose names, sizes and manifest have been checked; `verify` reads every byte."""

    def __init__(self, source: zipfile.ZipFile, manifest: Manifest, listed: dict[str, str]) -> None:
        self._source, self.manifest, self._listed = source, manifest, listed

    def verify(self, tell: Tell = silent) -> None:
        """Read every member once and compare size, digest, columns and number of rows with the manifest.

        Raises:
            ArchiveRefused: one of them differs, or a table's text is malformed.
        """
        total = sum(member.size for member in self.manifest.members) or 1
        done = 0
        for member in self.manifest.members:
            tell(member.name, done / total)
            self._verify(member)
            done += member.size

    @contextmanager
    def open(self, member: Member) -> Iterator["_Guarded"]:
        """A member's bytes as a stream."""
        with _refused_when_damaged():
            stream = self._source.open(member.name)
        with stream:
            yield _Guarded(stream)

    def records(self, member: Member) -> Iterator[bytes]:
        """The rows of a verified table as they stand, without the header."""
        with self.open(member) as stream:
            lines = rows.records(stream)
            next(lines, None)
            yield from lines

    def _verify(self, member: Member) -> None:
        digest, size, count = hashlib.sha256(), 0, 0
        with self.open(member) as stream:
            if member.kind == "file":
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
            else:
                head = rows.header(member.columns)
                digest.update(head)
                size = len(head)
                for record in rows.checked(stream, member.columns):
                    digest.update(record)
                    size += len(record)
                    count += 1
        if size != member.size or digest.hexdigest() != member.sha256 or self._listed[member.name] != member.sha256:
            raise ArchiveRefused(f"{member.name} is damaged: its checksum is another than the archive says.")
        if count != member.rows:
            raise ArchiveRefused(f"{member.name} has {count} rows and should have {member.rows}.")


class _Guarded:
    """A member's bytes; what the library raises on damage becomes a refusal, what the reader raises stays itself."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        """At most `size` bytes."""
        with _refused_when_damaged():
            return self._stream.read(size)

    def readline(self, size: int) -> bytes:
        """A line with its end, or its first `size` bytes."""
        with _refused_when_damaged():
            return self._stream.readline(size)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open the archive in `path`.

    Raises:
        ArchiveRefused: no archive, larger than ``ARCHIVE_MAX_BYTES`` allows, or with members that lead elsewhere,
            stand there twice, are links, are encrypted, or claim sizes that no honest archive has.
    """
    with _refused_when_damaged():
        source = zipfile.ZipFile(path)
    with source:
        _check_entries(source.infolist())
        with _refused_when_damaged():
            content = _whole(source, MANIFEST)
            listed = _checksums(_whole(source, CHECKSUMS))
        manifest = names.read(content)
        _check_agreement(source, manifest, listed)
        if not hmac.compare_digest(listed[MANIFEST], hashlib.sha256(content).hexdigest()):
            raise ArchiveRefused("The archive's manifest is damaged: its checksum is another than the archive says.")
        yield Archive(source, manifest, listed)


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    total = 0
    if len(entries) > settings.ARCHIVE_MAX_MEMBERS:
        raise ArchiveRefused(f"The archive has more than {settings.ARCHIVE_MAX_MEMBERS} members.")
    for entry in entries:
        # The library cuts a name at a NUL; what stood there first is what counts.
        if entry.orig_filename != entry.filename or entry.is_dir():
            raise ArchiveRefused(f"The archive has a member that does not belong there: {entry.orig_filename!r:.80}")
        if entry.filename not in (MANIFEST, CHECKSUMS):
            names.check_name(entry.filename)
        if entry.filename.casefold() in seen:
            raise ArchiveRefused(f"The archive has {entry.filename!r:.80} twice.")
        seen.add(entry.filename.casefold())
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or entry.flag_bits & _ENCRYPTED:
            raise ArchiveRefused(f"{entry.filename!r:.80} is a link, a device or encrypted.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveRefused(f"{entry.filename!r:.80} is compressed in a way that is not read here.")
        total += entry.file_size
    if total > settings.ARCHIVE_MAX_BYTES:
        raise ArchiveRefused(f"The archive unpacks to {total} bytes; {settings.ARCHIVE_MAX_BYTES} are allowed.")


def _whole(source: zipfile.ZipFile, name: str) -> bytes:
    try:
        entry = source.getinfo(name)
    except KeyError as error:
        raise ArchiveRefused("This file is not an archive of a workspace.") from error
    if entry.file_size > _MAX_MANIFEST:
        raise ArchiveRefused(f"The archive's {name} is too large.")
    return source.read(entry)


def _checksums(content: bytes) -> dict[str, str]:
    listed: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        digest, separator, name = line.partition("  ")
        if not separator or len(digest) != 64 or name in listed:
            raise ArchiveRefused("The archive's list of checksums cannot be read.")
        listed[name] = digest
    return listed


def _check_agreement(source: zipfile.ZipFile, manifest: Manifest, listed: dict[str, str]) -> None:
    expected = {member.name for member in manifest.members} | {MANIFEST}
    if set(source.namelist()) != expected | {CHECKSUMS}:
        raise ArchiveRefused("The archive has other members than its manifest says.")
    if set(listed) != expected:
        raise ArchiveRefused("The archive's list of checksums has other members than its manifest.")
    for member in manifest.members:
        if source.getinfo(member.name).file_size != member.size:
            raise ArchiveRefused(f"{member.name} is damaged: its size is another than the archive says.")


@contextmanager
def _refused_when_damaged() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise ArchiveRefused("The archive is damaged or not a ZIP file.") from error

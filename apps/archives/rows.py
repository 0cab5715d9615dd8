"""CSV as PostgreSQL writes it with every value in quotes: NULL is nothing at all, an empty text is two quotes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from apps.archives.errors import ArchiveRefused

MAX_RECORD_BYTES = 64 * 1024 * 1024
_FIELD = re.compile(rb'(?:"((?:[^"]|"")*)")?(,|\n)')
# Possessive: a value without an end is found out in one pass.
_WHOLE_FIELD = rb'(?:"[^"]*+(?:""[^"]*+)*+")?+'
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
Value = str | None


class Lines(Protocol):
    """What can be read line by line."""

    def readline(self, size: int, /) -> bytes:
        """A line with its end, or its first `size` bytes; nothing at the end."""


def header(columns: Sequence[str]) -> bytes:
    """The first line of a table's file."""
    return (",".join(columns) + "\n").encode()


def records(source: Lines) -> Iterator[bytes]:
    """The records as they stand, each with its line end; the first is the header.

    Raises:
        ArchiveRefused: a quote is never closed, a record has no end, or it is larger than any value may be.
    """
    while line := source.readline(MAX_RECORD_BYTES):
        quotes = line.count(b'"')
        if quotes % 2 == 0:
            if not line.endswith(b"\n"):
                raise ArchiveRefused("A table of the archive ends within a row.")
            yield line
            continue
        parts, size = [line], len(line)
        while quotes % 2:
            line = source.readline(MAX_RECORD_BYTES)
            quotes += line.count(b'"')
            size += len(line)
            parts.append(line)
            if not line or size > MAX_RECORD_BYTES:
                raise ArchiveRefused("A table of the archive has a row without an end.")
        yield b"".join(parts)


def values(record: bytes, count: int) -> list[Value]:
    """The values of one record.

    Raises:
        ArchiveRefused: it is no record of `count` values in this notation, or not UTF-8.
    """
    found: list[Value] = []
    place = 0
    while place < len(record):
        match = _FIELD.match(record, place)
        if match is None:
            raise ArchiveRefused("A table of the archive has a row that cannot be read.")
        raw = match[1]
        try:
            found.append(None if raw is None else raw.replace(b'""', b'"').decode())
        except UnicodeDecodeError as error:
            raise ArchiveRefused("A table of the archive has a row that is not UTF-8.") from error
        place = match.end()
        if match[2] == b"\n":
            break
    if place != len(record) or len(found) != count:
        raise ArchiveRefused("A table of the archive has a row with a wrong number of values.")
    return found


def checked(source: Lines, columns: Sequence[str]) -> Iterator[bytes]:
    """The records after the header, each of them known to be well-formed.

    Raises:
        ArchiveRefused: the header is another, or a record is malformed.
    """
    lines = records(source)
    if next(lines, b"") != header(columns):
        raise ArchiveRefused("A table of the archive has other columns than its manifest says.")
    is_row = re.compile(rb",".join([_WHOLE_FIELD] * len(columns)) + rb"\n").fullmatch
    for line in lines:
        if is_row(line) is None:
            raise ArchiveRefused("A table of the archive has a row with a wrong number of values.")
        yield line


def renamed(lines: Iterable[bytes], names: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """The records with identifiers replaced wherever they stand: in keys, paths, JSON and text alike."""
    if not names:
        yield from lines
        return
    for line in lines:
        yield _UUID.sub(lambda found: names.get(found[0], found[0]), line)

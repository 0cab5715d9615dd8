"""What an archive is made of: names, the manifest and the checksum file (docs/archive-format.md)."""

import json
import re
import unicodedata
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal
from uuid import UUID

from apps.archives.errors import ArchiveRefused

FORMAT = "insula-tenant-archive"
FORMAT_VERSION = 1
MANIFEST, CHECKSUMS = "manifest.json", "checksums.sha256"
PEOPLE = "people"

Kind = Literal["table", "shared", "file"]
_FOLDER: dict[str, str] = {"table": "tables", "shared": "shared", "file": "files"}
_TABLE_MEMBER = re.compile(r"(tables|shared)/([a-z_][a-z0-9_]{0,62})\.csv")
_COLUMN = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[a-z0-9]{8}")
_MAX_PATH = 500


@dataclass(frozen=True, slots=True)
class Member:
    """One table or file in the archive. `size` in bytes before compression; `rows` and `columns` of tables only."""

    name: str
    kind: Kind
    size: int
    sha256: str
    rows: int = 0
    columns: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """The table that the member holds."""
        return PurePosixPath(self.name).stem

    @property
    def path(self) -> str:
        """Where a file stands below its tenant's folder in storage."""
        return self.name.removeprefix("files/")


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """Who the archive is of. `settings` are the other columns of the tenant's row, as JSON."""

    id: UUID
    key: str
    slug: str
    name: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that the archive says of itself. `migrations`: those of the tenant's schema, as (app, name)."""

    product_version: str
    exported_at: datetime
    tenant: TenantFacts
    schema_version: str
    migrations: tuple[tuple[str, str], ...]
    members: tuple[Member, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    blanked: tuple[str, ...] = ()

    def of_kind(self, kind: Kind) -> list[Member]:
        """The members of one kind, in the archive's order."""
        return [member for member in self.members if member.kind == kind]


def member_name(kind: Kind, name: str) -> str:
    """Where a table or a file stands in the archive."""
    return f"{_FOLDER[kind]}/{name}" + ("" if kind == "file" else ".csv")


def written(manifest: Manifest) -> bytes:
    """The manifest as JSON."""
    tenant = manifest.tenant
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "product_version": manifest.product_version,
        "exported_at": manifest.exported_at.isoformat().replace("+00:00", "Z"),
        "tenant": {
            "id": str(tenant.id),
            "key": tenant.key,
            "slug": tenant.slug,
            "name": tenant.name,
            "settings": tenant.settings,
        },
        "schema": {"version": manifest.schema_version, "migrations": [list(pair) for pair in manifest.migrations]},
        "members": [_without_emptiness(member) for member in manifest.members],
        "left_out": manifest.left_out,
        "blanked": list(manifest.blanked),
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def checksum_lines(manifest_sha256: str, members: tuple[Member, ...]) -> bytes:
    """The text that ``sha256sum -c`` reads: every member and the manifest."""
    lines = [f"{member.sha256}  {member.name}" for member in members]
    return ("\n".join([*lines, f"{manifest_sha256}  {MANIFEST}"]) + "\n").encode()


def read(content: bytes) -> Manifest:
    """The manifest in `content`, every value checked.

    Raises:
        ArchiveRefused: not JSON, not of this format, of a newer version, or a value is missing or of a wrong form.
    """
    try:
        document = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ArchiveRefused("The archive's manifest cannot be read.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ArchiveRefused("This file is not an archive of a workspace.")
    version = document.get("format_version")
    if version != FORMAT_VERSION:
        raise ArchiveRefused(f"The archive's format is version {version!r:.20}; this installation reads 1.")
    try:
        return _manifest(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArchiveRefused("The archive's manifest lacks a value or has one of a wrong form.") from error


def check_name(name: str) -> Kind:
    """The kind of member that `name` may be.

    Raises:
        ArchiveRefused: the name leads elsewhere, or is none that an archive has.
    """
    if found := _TABLE_MEMBER.fullmatch(name):
        return "table" if found[1] == "tables" else "shared"
    if name.startswith("files/") and len(name) <= _MAX_PATH and _is_plain_path(name):
        return "file"
    raise ArchiveRefused(f"The archive has a member that does not belong there: {name!r:.80}")


def _is_plain_path(path: str) -> bool:
    parts = path.split("/")
    printable = all(unicodedata.category(sign)[0] != "C" for sign in path)
    plain = all(part not in ("", ".", "..") and part == part.strip() for part in parts)
    return printable and plain and "\\" not in path and ":" not in path and len(parts) > 1


def _without_emptiness(member: Member) -> dict[str, Any]:
    values = asdict(member)
    if member.kind == "file":
        del values["rows"], values["columns"]
    return values


def _manifest(document: dict[str, Any]) -> Manifest:
    tenant, schema = document["tenant"], document["schema"]
    exported_at = datetime.fromisoformat(_text(document["exported_at"], 40))
    if exported_at.tzinfo is None:
        raise ValueError("no time zone")
    members = tuple(_member(item) for item in _list(document["members"]))
    if len({member.name for member in members}) != len(members):
        raise ArchiveRefused("The archive's manifest names a member twice.")
    if not isinstance(tenant["settings"], dict) or not _KEY.fullmatch(_text(tenant["key"], 8)):
        raise ValueError("tenant")
    return Manifest(
        product_version=_text(document["product_version"], 40),
        exported_at=exported_at,
        tenant=TenantFacts(
            id=UUID(_text(tenant["id"], 36)),
            key=tenant["key"],
            slug=_text(tenant["slug"], 50),
            name=_text(tenant["name"], 100),
            settings=tenant["settings"],
        ),
        schema_version=_text(schema["version"], 64),
        migrations=tuple((_text(app, 255), _text(name, 255)) for app, name in _list(schema["migrations"])),
        members=members,
        left_out={_text(name, 100): _text(why, 500) for name, why in document.get("left_out", {}).items()},
        blanked=tuple(_text(name, 200) for name in _list(document.get("blanked", []))),
    )


def _member(item: dict[str, Any]) -> Member:
    name = _text(item["name"], _MAX_PATH)
    kind = check_name(name)
    if item["kind"] != kind or not _SHA256.fullmatch(item["sha256"]):
        raise ValueError(name)
    columns = tuple(_text(column, 63) for column in _list(item.get("columns", [])))
    if any(not _COLUMN.fullmatch(column) for column in columns) or len(set(columns)) != len(columns):
        raise ValueError(name)
    if kind != "file" and not columns:
        raise ValueError(name)
    return Member(name, kind, _count(item["size"]), item["sha256"], _count(item.get("rows", 0)), columns)


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or "\x00" in value:
        raise ValueError("text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("list")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise ValueError("count")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)

"""Making a new tenant out of an archive: checked first, then loaded in one transaction that is all or nothing."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import DataError, Error, IntegrityError, connection, transaction

from apps.archives import catalogue, loading, policy, rows
from apps.archives.errors import ArchiveRefused
from apps.archives.format import PEOPLE, Manifest, Member
from apps.archives.progress import Tell, silent
from apps.archives.reading import Archive, opened
from apps.archives.storage import tenant_prefix
from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.tenants import TenantScope, assert_no_transaction, owner_transaction, tenant_scope
from apps.iam import adopting as people
from apps.iam.adopting import Person
from apps.tenancy import adopting, selectors
from apps.tenancy.adopting import Identity, SchemaState
from apps.tenancy.schema_building import build_schemas
from apps.tenancy.selectors import TenantView

_CHECK_SHARE, _FILES_SHARE = 0.3, 0.5
_CHUNK, _IN_MEMORY = 1024 * 1024, 8 * 1024 * 1024
# As an archive's values were written; nothing of it outlives the transaction.
_READING = """
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL statement_timeout = 0
"""


@dataclass(slots=True)
class Imported:
    """What came of an import: the tenant, and in words what could not be taken over."""

    tenant: TenantView
    rows: int
    files: int
    notes: list[str] = field(default_factory=list)


Allot = Callable[[Identity], None]
Finish = Callable[[Imported], None]


def import_archive(
    *,
    actor: Actor,
    path: Path,
    wanted_name: str = "",
    wanted_slug: str = "",
    allot: Allot,
    finish: Finish,
    tell: Tell = silent,
) -> Imported:
    """Make a new, active tenant of the archive in `path`; other tenants are neither read nor written.

    `allot` hears of the identity before anything is written under it, so that whatever is left by a crash can be
    found; `finish` runs in the transaction that makes the tenant. When this raises, no row and no schema is left; the
    caller removes the files below the allotted prefix.

    Raises:
        ArchiveRefused: the archive is damaged, not to be trusted, of another version, or contradicts itself.
        NameTaken, ValidationFailed, OnlyWorkspace: it cannot live here under this name, or not at all.
    """
    assert_no_transaction("Importing a tenant")
    with opened(path) as archive:
        archive.verify(lambda step, share: tell(f"checking {step}", _CHECK_SHARE * share))
        manifest = archive.manifest
        with transaction.atomic():
            _known_state(manifest)
            identity = adopting.free_identity(
                tenant_id=manifest.tenant.id,
                key=manifest.tenant.key,
                slug=manifest.tenant.slug,
                name=manifest.tenant.name,
                wanted_name=wanted_name,
                wanted_slug=wanted_slug,
            )
        allot(identity)
        _write_files(archive, identity, tell)
        return _Import(archive, identity, actor, tell).run(finish)


def _known_state(manifest: Manifest) -> SchemaState:
    state = adopting.schema_state([f"{app}.{name}" for app, name in manifest.migrations])
    if state is None:
        raise ArchiveRefused(
            f"The archive was made by version {manifest.product_version}, whose tables this installation does not know "
            "or cannot bring up to date. Bring both to the same version and export again."
        )
    return state


def _write_files(archive: Archive, identity: Identity, tell: Tell) -> None:
    members = archive.manifest.of_kind("file")
    for number, member in enumerate(members):
        tell("files", _CHECK_SHARE + (_FILES_SHARE - _CHECK_SHARE) * number / len(members))
        key = tenant_prefix(identity.id) + member.path
        with archive.open(member) as stream, SpooledTemporaryFile(_IN_MEMORY) as whole:
            while chunk := stream.read(_CHUNK):
                whole.write(chunk)
            whole.seek(0)
            stored_as = default_storage.save(key, File(whole))
        if stored_as != key:
            raise ArchiveRefused(f"{member.name} cannot be stored under its own name here.")


class _Import:
    """One archive on its way into the database."""

    def __init__(self, archive: Archive, identity: Identity, actor: Actor, tell: Tell) -> None:
        self.archive, self.identity, self.actor, self.tell = archive, identity, actor, tell
        self.manifest = archive.manifest
        self.scope = TenantScope(identity.id, identity.schema_name)
        self.names: dict[bytes, bytes] = {}
        self.notes: list[str] = []
        self._keys: dict[str, str] = {}
        self._total = sum(member.rows for member in self.manifest.members) or 1
        self._done = 0

    def run(self, finish: Finish) -> Imported:
        """Everything in one transaction."""
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    for statement in _READING.split(";"):
                        cursor.execute(statement)
                state = _known_state(self.manifest)
                shared = self._shared_tables()
                self._rename(shared)
                values = _renamed_json(self.manifest.tenant.settings, self.names)
                adopting.write_tenant(self.identity, schema_version=state.version, values=values)
                self._load_schema(state)
                self._load_shared(shared)
                tenant = selectors.tenant_by_id(self.identity.id)
                found = Imported(tenant, self._done, len(self.manifest.of_kind("file")), self.notes)
                self._record(found)
                finish(found)
        except (DataError, IntegrityError) as error:
            raise ArchiveRefused(f"The archive contradicts itself: {_reason(error)}") from error
        selectors.forget_host(self.identity.host)
        return found

    # -- who is who here -------------------------------------------------------------------------------------------

    def _shared_tables(self) -> list[tuple[catalogue.Table, Member]]:
        with connection.cursor() as cursor:
            public = catalogue.tables(cursor, "public")
        self._keys = {table.name: table.key[0] for table in public if len(table.key) == 1}
        known = {table.name: table for table in policy.select_shared(public).tables}
        members = {member.table: member for member in self.manifest.of_kind("shared")}
        if PEOPLE not in members or members[PEOPLE].columns != policy.PEOPLE_COLUMNS:
            raise ArchiveRefused("The archive does not say who its people are.")
        if unknown := members.keys() - known.keys() - {PEOPLE}:
            raise ArchiveRefused(f"The archive has shared tables that are not taken here: {', '.join(sorted(unknown))}")
        return [(table, members[name]) for name, table in known.items() if name in members]

    def _rename(self, shared: list[tuple[catalogue.Table, Member]]) -> None:
        renamed: dict[UUID, UUID] = {}
        if self.identity.id != self.manifest.tenant.id:
            renamed[self.manifest.tenant.id] = self.identity.id
        self.people = people.adopt_people(self._people())
        renamed |= {there: here for there, here in self.people.items() if there != here}
        for table, member in shared:
            renamed |= loading.clashing_ids(table, self._values(member), owner=self.identity.id)
        self.names = {str(old).encode(): str(new).encode() for old, new in renamed.items()}

    def _people(self) -> Iterator[Person]:
        member = next(item for item in self.manifest.of_kind("shared") if item.table == PEOPLE)
        for row in self._values(member):
            try:
                yield Person(
                    id=UUID(row["id"] or ""),
                    email=row["email"] or "",
                    first_name=row["first_name"] or "",
                    last_name=row["last_name"] or "",
                    locale=row["locale"] or "en",
                    created_at=datetime.fromisoformat(row["created_at"] or ""),
                )
            except ValueError as error:
                raise ArchiveRefused("The archive names a person who cannot be one.") from error

    def _values(self, member: Member) -> Iterator[dict[str, rows.Value]]:
        for record in self.archive.records(member):
            yield dict(zip(member.columns, rows.values(record, len(member.columns)), strict=True))

    # -- its own schema --------------------------------------------------------------------------------------------

    def _load_schema(self, state: SchemaState) -> None:
        members = {member.table: member for member in self.manifest.of_kind("table")}
        schema = self.identity.schema_name
        with owner_transaction(schema), connection.cursor() as cursor:
            build_schemas([schema], state.script, using=self.scope.database_alias)
            tables = catalogue.tables(cursor, schema)
            if {table.name for table in tables} != members.keys():
                raise ArchiveRefused("The archive has other tables than a workspace of its version.")
            with loading.guards_lifted(cursor, schema):
                for table in tables:
                    member = members[table.name]
                    self.tell(table.name, self._share())
                    lines = rows.renamed(self.archive.records(member), self.names)
                    loading.copy_table(cursor, schema, table, member, self._counted(lines, table.name))
                self.tell("checking constraints", self._share())
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            if state.upgrade:
                self.tell("migrating", self._share())
                cursor.execute(state.upgrade)

    def _load_shared(self, shared: list[tuple[catalogue.Table, Member]]) -> None:
        here = set(self.people.values())
        with ExitStack() as stack:
            # As the tenant: the database itself refuses a row of anybody else.
            stack.enter_context(tenant_scope(self.scope))
            cursor = stack.enter_context(connection.cursor())
            for table, member in shared:
                self.tell(table.name, self._share())
                lines = self._counted(rows.renamed(self.archive.records(member), self.names), table.name)
                written = loading.insert_rows(cursor, table, member, lines, owner=self.identity.id, people=here)
                if written < member.rows:
                    self.notes.append(f"{table.name}: {member.rows - written} rows were here already and stayed.")
            for table, _member in shared:
                loading.check_references(cursor, table, self._keys)

    def _counted(self, lines: Iterator[bytes], name: str) -> Iterator[bytes]:
        for line in lines:
            self._done += 1
            if self._done % 1000 == 0:
                self.tell(name, self._share())
            yield line

    def _share(self) -> float:
        return _FILES_SHARE + (0.98 - _FILES_SHARE) * self._done / self._total

    def _record(self, found: Imported) -> None:
        audit.record(
            actor=self.actor,
            action="archives.tenant.import",
            entity_type="tenant",
            entity_id=self.identity.id,
            entity_label=self.identity.name,
            after={
                "key": self.identity.key,
                "slug": self.identity.slug,
                "archive_of": str(self.manifest.tenant.id),
                "exported_at": self.manifest.exported_at.isoformat(),
                "rows": found.rows,
                "files": found.files,
                "notes": found.notes,
            },
            severity=Severity.HIGH,
            tenant_id=self.identity.id,
        )


def _renamed_json(value: Any, names: dict[bytes, bytes]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed_json(item, names) for key, item in value.items()}
    if isinstance(value, str):
        return names.get(value.encode(), value.encode()).decode()
    return value


def _reason(error: Error) -> str:
    # The first line alone: what follows quotes rows.
    return str(error).partition("\n")[0][:300]

"""Archives that a stranger made: each is refused with a reason, and nothing of it stays."""

import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from apps.archives import rows
from apps.archives.errors import ArchiveRefused
from apps.archives.models import ArchiveJob, JobStatus
from apps.archives.reading import opened
from apps.archives.services import import_from_file
from apps.core.errors import DomainError
from apps.tenancy.errors import NameTaken
from apps.tenancy.models import Domain, Tenant
from apps.tenancy.selectors import TenantView
from tests.archives.conftest import records, silent
from tests.archives.contents import checksums

Forge = Callable[..., Path]


@pytest.fixture(autouse=True)
def _everything_stays_as_it_was(filled: TenantView) -> Iterator[None]:
    before = checksums()
    yield
    assert checksums() == before


def member(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as source:
        return source.read(name)


def schemas_of_tenants() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_namespace where nspname like 't\\_%%'")
        return int(cursor.fetchone()[0])


def refused(path: Path, match: str) -> None:
    """The import is refused for this reason and leaves nothing."""
    schemas, tenants = schemas_of_tenants(), Tenant.objects.count()
    folders = set(default_storage.listdir("tenants")[0])
    with pytest.raises(DomainError, match=match):
        import_from_file(path=path, name="A stranger", slug="", tell=silent)
    assert (schemas_of_tenants(), Tenant.objects.count()) == (schemas, tenants)
    assert set(default_storage.listdir("tenants")[0]) == folders
    job = ArchiveJob.objects.latest("id")
    assert job.status == JobStatus.FAILED and re.search(match, job.error) and job.files_prefix == ""
    ArchiveJob.objects.all().delete()


def rewritten(archive: Path, target: Path, change: Callable[[zipfile.ZipInfo], None], extra: Any = ()) -> Path:
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in source.infolist():
            content = source.read(entry)
            change(entry)
            made.writestr(entry, content)
        for name, content in extra:
            made.writestr(name, content)
    return target


EVIL_NAMES = [
    "../../etc/passwd",
    "/etc/passwd",
    "files/../../x",
    "files/a\\..\\b",
    "files//x",
    "files/./x",
    "files/a\nb",
    "files/C:x/y",
    "tables/UPPER.csv",
    "tables/a.csv/b.csv",
    "shared/x.txt",
    "elsewhere/x.csv",
    "files/" + "x" * 600,
    "files/ space /x",
    "files/folder/",
]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_lead_elsewhere_or_stand_there_twice(archive: Path, tmp_path: Path) -> None:
    for name in [*EVIL_NAMES, "manifest.json", "MANIFEST.json", "tables/ledger_entry.csv"]:
        evil = rewritten(archive, tmp_path / "evil.zip", lambda entry: None, [(name, b"x")])
        with pytest.raises(ArchiveRefused), opened(evil):
            raise AssertionError(name)
    refused(rewritten(archive, tmp_path / "evil.zip", lambda entry: None, [(EVIL_NAMES[0], b"x")]), "belong")


def test_links_devices_and_encryption(archive: Path, tmp_path: Path) -> None:
    for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFDIR):
        evil = tmp_path / "evil.zip"
        link = zipfile.ZipInfo("files/link")
        link.external_attr = (kind | 0o777) << 16
        rewritten(archive, evil, lambda entry: None, [(link, b"/etc/passwd")])
        with pytest.raises(ArchiveRefused, match="link"), opened(evil):
            raise AssertionError(kind)
    content = bytearray(archive.read_bytes())
    for marker, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(marker) + place] |= 1
    (tmp_path / "encrypted.zip").write_bytes(content)
    with pytest.raises(ArchiveRefused), opened(tmp_path / "encrypted.zip"):
        raise AssertionError


def test_bombs(archive: Path, tmp_path: Path, settings: Any) -> None:
    bomb = rewritten(archive, tmp_path / "bomb.zip", lambda entry: None, [("files/zeros", bytes(30_000_000))])
    assert bomb.stat().st_size < 1_000_000
    settings.ARCHIVE_MAX_BYTES = 10_000_000
    refused(bomb, "unpacks to")
    settings.ARCHIVE_MAX_BYTES = 50 * 1024**3
    settings.ARCHIVE_MAX_MEMBERS = 5
    refused(archive, "more than 5 members")


def test_a_size_that_lies(archive: Path, tmp_path: Path) -> None:
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as source:
        entry = max(source.infolist(), key=lambda item: item.file_size)
    at = content.index(b"PK\x01\x02")
    while content[at + 46 : at + 46 + len(entry.filename)] != entry.filename.encode():
        at = content.index(b"PK\x01\x02", at + 4)
    content[at + 24 : at + 28] = (7).to_bytes(4, "little")
    (tmp_path / "lies.zip").write_bytes(content)
    refused(tmp_path / "lies.zip", "damaged")


def test_what_is_no_archive(filled: TenantView, tmp_path: Path) -> None:
    (tmp_path / "none.zip").write_bytes(b"not a zip")
    refused(tmp_path / "none.zip", "not a ZIP")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("files/readme.txt", "hello")
    refused(tmp_path / "other.zip", "not an archive")


def test_damage_in_any_member(archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    with zipfile.ZipFile(archive) as source:
        entries = source.infolist()
    for entry in entries:
        at = entry.header_offset
        lengths = whole[at + 26 : at + 30]
        begin = at + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        damaged = bytearray(whole)
        damaged[begin + entry.compress_size // 2] ^= 0xFF
        (tmp_path / "damaged.zip").write_bytes(damaged)
        with pytest.raises(ArchiveRefused), opened(tmp_path / "damaged.zip") as found:
            found.verify()
        (tmp_path / "cut.zip").write_bytes(whole[:begin])
        with pytest.raises(ArchiveRefused), opened(tmp_path / "cut.zip"):
            raise AssertionError(entry.filename)


def without(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document.pop(key)


def of_tenant(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document["tenant"].update(values)


MANIFESTS: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda document: document.update(format="other"), "not an archive"),
    (lambda document: document.update(format_version=2), "version 2"),
    (lambda document: document.update(format_version="1"), "version"),
    (lambda document: document["schema"]["migrations"].append(["invoices", "9999_tomorrow"]), "does not know"),
    (lambda document: document["schema"].update(migrations=[]), "does not know"),
    (lambda document: document["schema"].update(migrations=[["ledger", "0001_initial"]]), "other tables"),
    (without("tenant"), "lacks"),
    (without("members"), "lacks"),
    (without("exported_at"), "lacks"),
    (of_tenant(id="../x"), "lacks"),
    (of_tenant(key="UPPER!!!"), "lacks"),
    (of_tenant(settings=[]), "lacks"),
    (of_tenant(settings={"currency": "TOO LONG"}), "settings are not valid"),
    (of_tenant(settings={"email": "no address"}), "settings are not valid"),
    (lambda document: document["members"].append(document["members"][0]), "twice|cannot be read"),
    (lambda document: document["members"].pop(), "other members"),
    (lambda document: document["members"][0].update(rows=77), "rows and should have"),
    (lambda document: document["members"][0].update(rows=-1), "lacks"),
    (lambda document: document["members"][0].update(sha256="0" * 64), "damaged|checksum"),
    (lambda document: document["members"][0].update(columns=["id", "id"]), "lacks"),
    (lambda document: document["members"][0].update(columns=['x" from pg_user --']), "lacks"),
    (lambda document: document["members"][0].update(columns=["id"]), "damaged|columns"),
]


def test_manifests_that_lie(forge: Forge) -> None:
    for change, match in MANIFESTS:
        refused(forge(manifest=change), match)


def changed(archive: Path, name: str, change: Callable[[list[bytes]], None]) -> dict[str, bytes]:
    lines = list(records(member(archive, name)))
    change(lines)
    return {name: b"".join(lines)}


def replaced(old: bytes, new: bytes) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        assert any(old in line for line in lines), old
        lines[:] = [line.replace(old, new, 1) if old in line else line for line in lines]

    return change


def test_rows_that_lie(filled: TenantView, archive: Path, forge: Forge) -> None:
    tenant, other = str(filled.id).encode(), str(uuid4()).encode()
    user = list(records(member(archive, "shared/people.csv")))[1].split(b'"')[1]
    invoice = next(line for line in records(member(archive, "tables/invoices_line.csv")) if b"Consulting" in line)
    cases: list[tuple[str, Callable[[list[bytes]], None], str]] = [
        # Rows of somebody else.
        ("shared/iam_membership.csv", replaced(tenant, other), "another workspace"),
        ("shared/audit_entry.csv", replaced(tenant, other), "another workspace"),
        ("shared/iam_membership.csv", replaced(user, other), "does not know"),
        ("shared/people.csv", replaced(b"@filled.test", b" at filled"), "cannot be a person"),
        ("shared/iam_membership.csv", replaced(b'"OWNER"', b'"EMPEROR"'), "contradicts"),
        # Books that do not balance, a leg too few, an invoice without its client.
        ("tables/ledger_posting.csv", replaced(b'"11900"', b'"11901"'), "contradicts"),
        ("tables/ledger_posting.csv", lambda lines: lines.pop(), "contradicts"),
        ("tables/invoices_client.csv", lambda lines: lines.pop(), "contradicts"),
        ("tables/invoices_line.csv", lambda lines: lines.append(invoice), "contradicts"),
        ("tables/invoices_line.csv", replaced(b'"5000"', b'"many"'), "contradicts"),
        # Text that is no table.
        ("tables/invoices_line.csv", lambda lines: lines.append(b'"1","2"\n'), "wrong number"),
        ("tables/invoices_line.csv", lambda lines: lines.append(b"bare,text\n"), "wrong number"),
        ("tables/invoices_line.csv", lambda lines: lines.append(b'"never closed\n'), "without an end|damaged"),
        ("tables/invoices_line.csv", lambda lines: lines.append(b"\\.\n"), "wrong number"),
        ("tables/invoices_line.csv", lambda lines: lines.__setitem__(0, b"id,other\n"), "columns"),
        ("shared/people.csv", lambda lines: lines.__setitem__(1, b'"\xff",,,,,\n'), "UTF-8|wrong"),
    ]
    for name, change, match in cases:
        refused(forge(changed(archive, name, change)), match)


def test_tables_that_do_not_belong(archive: Path, forge: Forge) -> None:
    evil = b'id,tenant_id\n"1","2"\n'

    def add(name: str) -> Callable[[dict[str, Any]], None]:
        entry = {"name": name, "kind": "shared" if name.startswith("shared") else "table", "size": len(evil)}

        def change(document: dict[str, Any]) -> None:
            document["members"].append(entry | {"sha256": "0" * 64, "rows": 1, "columns": ["id", "tenant_id"]})

        return change

    for name in ("shared/iam_user.csv", "shared/iam_token_family.csv", "shared/tenancy_tenant.csv", "tables/other.csv"):
        path = forge({name: evil}, manifest=add(name))
        with zipfile.ZipFile(path) as source:
            assert name in source.namelist()
        refused(path, "checksum|damaged|shared tables|other tables")


def test_a_name_that_is_taken(filled: TenantView, archive: Path) -> None:
    with pytest.raises(NameTaken, match="choose another name"):
        import_from_file(path=archive, name="", slug="", tell=silent)
    with pytest.raises(NameTaken, match="already taken"):
        import_from_file(path=archive, name="Other", slug=filled.slug, tell=silent)
    with pytest.raises(DomainError):
        import_from_file(path=archive, name="Other", slug="No Slug!", tell=silent)
    ArchiveJob.objects.all().delete()


def test_a_row_that_points_at_another_tenants(
    standing_tenants: tuple[TenantView, ...], archive: Path, forge: Forge
) -> None:
    theirs = str(Domain.objects.get(tenant_id=standing_tenants[0].id).pk)

    def steal(lines: list[bytes]) -> None:
        columns = lines[0].decode().strip().split(",")
        row = dict(zip(columns, rows.values(lines[1], len(columns)), strict=True)) | {"domain_id": theirs}
        cells = ("" if cell is None else '"{}"'.format(cell.replace('"', '""')) for cell in row.values())
        lines[1] = (",".join(cells) + "\n").encode()

    refused(forge(changed(archive, "shared/tenancy_brand.csv", steal)), "not the workspace's own")

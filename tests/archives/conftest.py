"""A tenant with something of everything, its archive, and the removal of what tests import."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.archives import storage
from apps.archives.exporting import export_tenant
from apps.archives.format import CHECKSUMS, MANIFEST, Manifest
from apps.archives.models import ArchiveJob
from apps.archives.services import import_from_file
from apps.core.clock import utcnow
from apps.invoices import services as invoices
from apps.tenancy.models import Brand, DomainClaim, TaxId
from apps.tenancy.selectors import TenantView
from tests.archives.contents import digest_of
from tests.factories.invoices import make_client, make_draft, make_open
from tests.factories.notifications import owe, tell
from tests.factories.webhooks import make_endpoint
from tests.fixtures.tenants import NewTenant, actor_of, in_tenant, remove

AWKWARD = 'O\'Brien & "Söhne", Ltd\n\\N\t%s \u200f\u05d0 🌊'
Importer = Callable[..., TenantView]


def silent(step: str, share: float) -> None:
    """Progress runs from 0 to 1."""
    assert step and 0 <= share <= 1


def fill(tenant: TenantView) -> None:
    """Clients, drafts, issued and paid invoices, books, notifications, letters, webhooks that wait, and a file."""
    owner = actor_of(tenant)
    make_endpoint(tenant, description=AWKWARD[:20], event_types=["client.*", "invoice.paid"])
    with in_tenant(tenant):
        client = make_client(owner, name=AWKWARD, notes="")
        make_draft(owner, client_id=client.id, metadata={"order": AWKWARD})
        make_open(owner, client_id=client.id)
        paid = make_open(owner, client_id=client.id)
        invoices.record_manual_payment(
            actor=owner, invoice_id=paid.id, amount_minor=11900, method="CASH", paid_at=utcnow()
        )
        tell(tenant, AWKWARD[:100])
        owe(tenant.id)
        Brand.objects.create(tenant_id=tenant.id, name="Second face", accent="#aa2211", invoice_intro=AWKWARD)
        TaxId.objects.create(tenant_id=tenant.id, kind="de_vat", value="DE136695976")
        DomainClaim.objects.create(
            tenant_id=tenant.id, domain="filled.example", token="proved-here", state="VERIFIED", verified_at=utcnow()
        )
    default_storage.save(
        f"tenants/{tenant.id}/invoices/{client.id}/one two.pdf", ContentFile(b"%PDF \x00\xff\n" * 9000)
    )


@pytest.fixture
def filled(committed: NewTenant) -> TenantView:
    """A tenant with something of everything."""
    tenant = committed("Filled")
    fill(tenant)
    return tenant


@pytest.fixture
def archive(filled: TenantView, tmp_path: Path) -> Path:
    """Its archive."""
    target = tmp_path / "filled.zip"
    export_tenant(tenant_id=filled.id, target=target)
    return target


@pytest.fixture
def bring_in(committed: NewTenant) -> Iterator[Importer]:
    """``bring_in(path, name)``: import; what came is removed after the test."""
    made: list[TenantView] = []

    def importer(path: Path, name: str = "", slug: str = "") -> TenantView:
        tenant, _ = import_from_file(path=path, name=name, slug=slug, tell=silent)
        made.append(tenant)
        return tenant

    yield importer
    for tenant in made:
        remove(tenant)
        storage.remove_below(storage.tenant_prefix(tenant.id))
    ArchiveJob.objects.all().delete()


@pytest.fixture
def forge(archive: Path, tmp_path: Path) -> Callable[..., Path]:
    """``forge(name=content, …)``: the archive with other members, its manifest and checksums made to fit."""

    def forged(
        members: dict[str, bytes] | None = None, *, manifest: Callable[[dict[str, Any]], Any] | None = None
    ) -> Path:
        target = tmp_path / "forged.zip"
        with zipfile.ZipFile(archive) as source:
            contents = {name: source.read(name) for name in source.namelist()}
        contents |= members or {}
        document = json.loads(contents[MANIFEST])
        for item in document["members"]:
            content = contents[item["name"]]
            item |= {"size": len(content), "sha256": digest_of(content)}
            if "rows" in item and item["name"] in (members or {}):
                item["rows"] = len(list(records(content))) - 1
        if manifest is not None:
            manifest(document)
        contents[MANIFEST] = json.dumps(document).encode()
        lines = [f"{digest_of(contents[item['name']])}  {item['name']}" for item in document.get("members", ())]
        contents[CHECKSUMS] = "\n".join([*lines, f"{digest_of(contents[MANIFEST])}  {MANIFEST}"]).encode()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in contents.items():
                made.writestr(name, content)
        return target

    return forged


def records(content: bytes) -> Iterator[bytes]:
    """The records of a table's file."""
    from_start = io.BytesIO(content)
    record = b""
    for line in from_start:
        record += line
        if record.count(b'"') % 2 == 0:
            yield record
            record = b""


def manifest_of(path: Path) -> dict[str, Any]:
    """What an archive says of itself, as it stands there."""
    with zipfile.ZipFile(path) as source:
        return dict(json.loads(source.read(MANIFEST)))


def digests(made: Manifest) -> dict[str, str]:
    """Each member's digest."""
    return {member.name: member.sha256 for member in made.members}

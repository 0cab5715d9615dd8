"""A tenant leaves by an archive and comes back as it was, here or in another installation."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from apps.archives import storage
from apps.archives.exporting import export_tenant
from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.core.clock import utcnow
from apps.iam.models import Membership, User
from apps.iam.selectors import actor_for_member
from apps.invoices.models import Invoice
from apps.ledger.models import Entry
from apps.tenancy import deleting, purging
from apps.tenancy.models import Domain, DomainClaim, ExternalRef
from apps.tenancy.selectors import TenantView
from apps.webhooks.models import Delivery, Endpoint, EndpointSecret
from tests.archives.conftest import Importer, digests, manifest_of
from tests.archives.contents import checksums
from tests.factories.invoices import make_open
from tests.fixtures.processes import REPOSITORY, product_environment
from tests.fixtures.tenants import actor_of, in_tenant

# Each export and import adds to the trail; nothing else may differ.
GROWS = "shared/audit_entry.csv"


def without_trail(found: dict[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in found.items() if name != GROWS}


def purge(tenant: TenantView) -> None:
    deleting.delete_tenant(actor=system(tenant.id), tenant_id=tenant.id)
    later = utcnow() + timedelta(days=settings.TENANT_PURGE_GRACE_DAYS + 1)
    assert purging.purge_tenant(tenant_id=tenant.id, now=later)


def test_back_after_a_purge_everything_is_as_it_was(filled: TenantView, tmp_path: Path, bring_in: Importer) -> None:
    first = export_tenant(tenant_id=filled.id, target=tmp_path / "a.zip")
    trail = set(AuditEntry.objects.filter(tenant_id=filled.id).values_list("pk", flat=True))
    purge(filled)
    back = bring_in(tmp_path / "a.zip")
    assert (back.id, back.key, back.slug, back.name) == (filled.id, filled.key, filled.slug, filled.name)
    second = export_tenant(tenant_id=back.id, target=tmp_path / "b.zip")
    assert without_trail(digests(second)) == without_trail(digests(first))
    assert second.tenant == first.tenant and second.migrations == first.migrations
    # The trail outlived the tenant; it is the same once, not twice.
    again = AuditEntry.objects.filter(tenant_id=filled.id)
    assert trail <= set(again.values_list("pk", flat=True))
    assert again.filter(action="tenancy.tenant.create").count() == 1
    assert again.filter(action="archives.tenant.import").count() == 1


def test_a_copy_beside_the_original_touches_nobody(filled: TenantView, archive: Path, bring_in: Importer) -> None:
    before = checksums()
    copy = bring_in(archive, "A copy", "a-copy")
    assert checksums(without=copy.id) == before
    assert copy.id != filled.id and copy.key != filled.key and copy.slug == "a-copy"
    # The original's customers keep their links; the copy's own rows name the copy.
    assert ExternalRef.objects.filter(tenant_id=copy.id).count() == 0
    assert Domain.objects.get(tenant_id=copy.id).domain == f"a-copy.{settings.PLATFORM_HOST}"
    assert Membership.objects.filter(tenant_id=copy.id).count() == 5
    owner = User.objects.get(email=f"owner@{filled.slug}.test")
    assert Membership.objects.get(tenant_id=copy.id, user=owner).role == "OWNER"
    claim = DomainClaim.objects.get(tenant_id=copy.id)
    assert (claim.domain, claim.state, claim.verified_at) == ("filled.example", "PENDING", None)
    assert claim.token not in ("", "proved-here") and claim.next_check_at is not None
    with in_tenant(copy):
        keys = list(Invoice.objects.exclude(document=None).values_list("document__storage_key", flat=True))
    assert all(key == "" or key.startswith(f"tenants/{copy.id}/") for key in keys)
    assert list(storage.paths_below(f"tenants/{copy.id}/")) == list(storage.paths_below(f"tenants/{filled.id}/"))


def test_the_copy_is_alive_and_guarded(filled: TenantView, archive: Path, bring_in: Importer) -> None:
    copy = bring_in(archive, "Alive")
    user = User.objects.get(email=f"owner@{filled.slug}.test")
    owner = actor_for_member(user.id, copy.id, actor_of(filled).origin)
    assert owner is not None
    with in_tenant(copy):
        numbers = set(Invoice.objects.exclude(number=None).values_list("number", flat=True))
        issued = make_open(owner)
        assert issued.number not in numbers
    with in_tenant(copy):
        # Secrets stay behind: nobody is called before there are new ones.
        endpoint = Endpoint.objects.get()
        assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "IMPORTED")
        assert set(Delivery.objects.values_list("state", flat=True)) == {"DEAD"}
        assert set(EndpointSecret.objects.values_list("sealed_secret", flat=True)) == {""}
    entry_change = "update ledger_entry set description = 'x'"
    with pytest.raises(Exception, match="reversal"), in_tenant(copy), connection.cursor() as cursor:
        cursor.execute(entry_change)
    with pytest.raises(Exception, match="cannot change"), in_tenant(copy):
        Invoice.objects.filter(pk=issued.id).update(notes="changed")
    with in_tenant(copy), connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid"
                       " where c.relnamespace = current_schema()::regnamespace and t.tgenabled = 'D'")  # fmt: skip
        assert cursor.fetchone()[0] == 0
        assert Entry.objects.count() >= 2


@pytest.fixture
def elsewhere(database_name: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of another installation: a database and a storage of its own."""
    name = f"{database_name}_else"
    database = settings.DATABASES["default"]
    with psycopg.connect(
        dbname="postgres", user=database["USER"] or None, password=database["PASSWORD"] or None,
        host=database["HOST"] or None, port=database["PORT"] or None, autocommit=True,
    ) as admin:  # fmt: skip
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TEST_")}
        yield environment | product_environment(name) | {"ARCHIVE_WORK_DIR": str(tmp_path / "work")}
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


ELSEWHERE = """
import sys
import django
django.setup()
from django.core.management import call_command
archive, key, output = sys.argv[1:]
call_command("migrate_platform")
call_command("import_tenant", archive)
call_command("export_tenant", key, "--output", output)
"""


@pytest.mark.timeout(300)
def test_in_another_installation_it_is_the_same(
    filled: TenantView, archive: Path, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "b.zip"
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(archive), filled.key, str(output)],
        cwd=REPOSITORY, env=elsewhere, capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{filled.key} Filled" in done.stdout
    here, there = manifest_of(archive), manifest_of(output)
    assert there["tenant"] == here["tenant"]

    def tables(manifest: dict[str, Any]) -> dict[str, str]:
        return without_trail({item["name"]: item["sha256"] for item in manifest["members"]})

    assert tables(there) == tables(here)
    assert there["left_out"] == here["left_out"]

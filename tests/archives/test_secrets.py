"""Nothing in an archive opens a door."""

import re
import zipfile
from pathlib import Path

from django.db import connection

from apps.archives import catalogue, policy
from apps.iam.models import RefreshToken, TokenFamily, User
from apps.tenancy.selectors import TenantView
from tests.archives.conftest import manifest_of
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import in_tenant

LOOKS_SECRET = re.compile(rb"argon2|pbkdf2_|bcrypt|whsec_|sk_(test|live)_|BEGIN [A-Z ]*PRIVATE KEY")


def text_of(archive: Path) -> bytes:
    with zipfile.ZipFile(archive) as source:
        return b"\n".join(source.read(name) for name in source.namelist())


def test_no_password_token_or_key(
    filled: TenantView, api: ApiFor, browser_client: BrowserFor, archive: Path, tmp_path: Path
) -> None:
    api(filled)
    browser_client(filled)
    from_people = User.objects.filter(memberships__tenant_id=filled.id)
    families = TokenFamily.objects.filter(tenant_id=filled.id)
    digests = RefreshToken.objects.filter(family__in=families).values_list("digest", flat=True)
    found = text_of(archive)
    assert not LOOKS_SECRET.search(found)
    for secret in [*from_people.values_list("password", flat=True), *digests]:
        assert secret.encode() not in found
    assert b"owner@filled.test" in found


def test_what_reads_like_a_secret_is_empty_or_stays_behind(filled: TenantView) -> None:
    with in_tenant(filled), connection.cursor() as cursor:
        own = catalogue.tables(cursor, filled.schema_name)
        public = catalogue.tables(cursor, "public")
    chosen = policy.select_shared(public)
    for table in (*own, *chosen.tables):
        for column in table.travelling:
            if policy.is_secret(table.name, column.name):
                assert policy.exported_value(table, column, set()) != f'"{column.name}"'
    names = {table.name for table in chosen.tables}
    assert not names & {"iam_user", "iam_refresh_token", "iam_token_family", "iam_session_handoff", "tenancy_tenant"}
    assert {"audit_entry", "iam_membership", "tenancy_external_ref"} <= names
    assert not names & policy.LEFT_OUT.keys()


def test_the_manifest_says_what_stays_behind_and_why(archive: Path) -> None:
    left_out = manifest_of(archive)["left_out"]
    assert "iam_token_family" in left_out and all(len(reason) > 10 for reason in left_out.values())

"""The functions behind the triggers of tenants' tables: they stand once, in ``public``, whatever the number of tenants.

A tenant app holds them in its ``guards.sql``. A copy in every schema would make each ``CREATE FUNCTION`` and ``CREATE
TRIGGER`` slower with every tenant: PostgreSQL looks a function up among all of its name, in whatever schema.
"""

import hashlib
from functools import cache
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection

from apps.core.tenants import owner_transaction
from apps.tenancy.pending import labels_of
from apps.tenancy.schema_script import TEMPLATE_SCHEMA


def install() -> None:
    """Create or replace the functions when the files differ from what was installed last.

    Tenants that are not migrated yet call the new text at once, so it must suit the tables of the release before.
    """
    if are_installed():
        return
    text, digest = _guards()
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(f"create schema if not exists {TEMPLATE_SCHEMA}")
        cursor.execute(text)
        cursor.execute(f"comment on schema {TEMPLATE_SCHEMA} is '{digest}'")


def are_installed() -> bool:
    """Whether the database has the functions as the files say; reads only."""
    with connection.cursor() as cursor:
        cursor.execute("select obj_description(to_regnamespace(%s), 'pg_namespace')", [TEMPLATE_SCHEMA])
        return bool(cursor.fetchone()[0] == _guards()[1])


@cache
def _guards() -> tuple[str, str]:
    files = [Path(apps.get_app_config(label).path) / "guards.sql" for label in sorted(labels_of(settings.TENANT_APPS))]
    text = "\n".join(file.read_text() for file in files if file.exists())
    return text, f"guards {hashlib.sha256(text.encode()).hexdigest()}"

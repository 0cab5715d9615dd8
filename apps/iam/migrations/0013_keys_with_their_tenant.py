"""Keys of two columns that others can refer to.

The index is built while others read and write; the constraint takes it over in a moment, and waits no longer for the
table than people would wait behind it (PostgreSQL 18, CREATE INDEX, CONCURRENTLY; ALTER TABLE, USING INDEX).
"""

from django.db import migrations, models

# Model, table, constraint.
_KEYS = (
    ("customrole", "iam_custom_role", "custom_role_of_tenant"),
    ("directorygroup", "iam_directory_group", "directory_group_of_tenant"),
    ("membership", "iam_membership", "membership_of_tenant"),
)


def _key(model: str, table: str, name: str) -> migrations.SeparateDatabaseAndState:
    forward = [
        # May be tried again after half of it: an index whose making was broken off stays behind, invalid.
        f"set local lock_timeout = '5s'; alter table public.{table} drop constraint if exists {name}",
        f"drop index concurrently if exists public.{name}",
        f"create unique index concurrently {name} on public.{table} (id, tenant_id)",
        f"set local lock_timeout = '5s'; alter table public.{table} add constraint {name} unique using index {name}",
    ]
    constraint = models.UniqueConstraint(fields=["id", "tenant"], name=name)
    return migrations.SeparateDatabaseAndState(
        [migrations.RunSQL(forward, f"alter table public.{table} drop constraint {name}")],
        [migrations.AddConstraint(model_name=model, constraint=constraint)],
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("iam", "0012_directory_facts")]

    operations = [_key(*key) for key in _KEYS]

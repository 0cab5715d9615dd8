"""Grants, places, entries and invitations refer to members, roles and groups of their own tenant alone.

Every version wrote them so; the database keeps it from now on. The constraints are added without a look at the rows,
which holds the tables for a moment only, and validated while others work (PostgreSQL 18, ALTER TABLE, NOT VALID).
"""

from django.db import migrations

# Constraint, table, column, and the table that it refers to.
_REFERENCES = (
    ("role_grant_member_of_tenant", "iam_role_grant", "membership_id", "iam_membership"),
    ("role_grant_role_of_tenant", "iam_role_grant", "role_id", "iam_custom_role"),
    ("group_place_member_of_tenant", "iam_directory_group_place", "membership_id", "iam_membership"),
    ("group_place_group_of_tenant", "iam_directory_group_place", "group_id", "iam_directory_group"),
    ("directory_entry_member_of_tenant", "iam_directory_entry", "membership_id", "iam_membership"),
    ("invitation_role_of_tenant", "iam_invitation", "custom_role_id", "iam_custom_role"),
)


def _add(name: str, table: str, column: str, target: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        # May be tried again after half of it.
        [
            f"set local lock_timeout = '5s'; alter table public.{table} drop constraint if exists {name},"
            f" add constraint {name} foreign key ({column}, tenant_id) references public.{target} (id, tenant_id)"
            " deferrable initially deferred not valid"
        ],
        f"alter table public.{table} drop constraint {name}",
    )


def _validate(name: str, table: str) -> migrations.RunSQL:
    return migrations.RunSQL(f"alter table public.{table} validate constraint {name}", migrations.RunSQL.noop)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("iam", "0013_keys_with_their_tenant")]

    operations = [
        *(_add(*reference) for reference in _REFERENCES),
        *(_validate(name, table) for name, table, *_rest in _REFERENCES),
    ]

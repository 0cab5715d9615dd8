"""What of a tenant travels: every shared table that names its tenant, save what is listed here with its reason.

A table that is new tomorrow is in the archive by itself. What looks like a secret is left empty wherever it stands.
"""

import re
from dataclasses import dataclass

from apps.archives.catalogue import Column, Table

OWNER_COLUMN = "tenant_id"
PEOPLE_TABLE = "iam_user"
PEOPLE_COLUMNS = ("id", "email", "first_name", "last_name", "locale", "created_at")
TENANT_TABLE = "tenancy_tenant"

# Shared tables with a tenant's rows that stay behind, and why.
LEFT_OUT: dict[str, str] = {
    "edge_idempotency_key": "answers kept for a day belong to the installation that gave them",
    "archives_job": "exports and imports are this installation's own work",
    "iam_api_key": "keys are made anew: only their digests are stored",
    "iam_mfa_policy": "second factors stay with the installation, so its owner demands them anew",
    "iam_invitation": "invitations are short-lived and hang on one-time links",
    "iam_impersonation": "operators' visits are told in the audit trail",
    "iam_session_handoff": "hand-overs between hosts live for a minute",
    "iam_token_family": "sign-ins end with the installation",
    "iam_sign_in_attempt": "who tried to sign in is the installation's own record",
    "iam_mail_domain": "mail domains are proved where an organisation works",
    "iam_sso_connection": "an identity provider knows the installation that it serves, and its secret stays",
    "iam_sso_link": "who is whom at a provider holds for the connection that stays behind",
    "iam_sso_attempt": "sign-ins under way live for minutes",
    "iam_scim_token": "only the tokens' digests are stored",
    "iam_directory_entry": "a directory writes its people anew where it is connected",
    "iam_directory_group": "a directory writes its groups anew where it is connected",
    "iam_directory_group_place": "a directory writes its groups anew where it is connected",
    "payments_gateway_event": "the inbox of this installation's own payment account; what it did is in the payments",
    "tenancy_due_work": "what waits is not done twice, and what arrives waits for nothing",
    "tenancy_domain": "hosts belong to an installation; custom domains travel as claims that are to be proved again",
    "tenancy_pooled_schema": "schemas in waiting hold nobody's data",
}
# Tenant's own columns that are the installation's or are said elsewhere in the manifest.
TENANT_COLUMNS_LEFT_OUT = frozenset(
    {
        *("id", "key", "slug", "name", "schema_name", "schema_version", "database_alias", "primary_domain"),
        *("status", "status_reason", "status_before_deletion", "suspended_by", "is_default"),
        *("provisioning_step", "provisioning_started_at", "deleted_at", "purge_after", "purge_started_at"),
        *("created_at", "updated_at"),
    }
)
# What a row says in the archive instead of what stands in the table, as SQL.
INSTEAD: dict[str, dict[str, str]] = {
    # What was filled into a letter may hold one-time links.
    "notifications_email_delivery": {"context": "'{}'::jsonb"},
    # Secrets stay behind, so nothing is sent before somebody gives new ones; what waits is not sent twice.
    "webhooks_endpoint": {
        "is_enabled": "false",
        "disabled_reason": "case when is_enabled then 'IMPORTED' else disabled_reason end",
        "disabled_at": "coalesce(disabled_at, updated_at)",
    },
    "webhooks_delivery": {
        "state": "case when state in ('PENDING', 'SENDING') then 'DEAD' else state end",
        "next_attempt_at": "null::timestamptz",
        "completed_at": "coalesce(completed_at, created_at)",
    },
    # A domain is proved anew where it arrives.
    "tenancy_domain_claim": {
        "token": "''",
        "state": "'PENDING'",
        "failures": "0",
        "last_error": "''",
        "checked_at": "null::timestamptz",
        "next_check_at": "null::timestamptz",
        "verified_at": "null::timestamptz",
    },
}
# Rows that stay behind, as SQL: letters that still wait are sent by the installation that owes them.
ONLY_WHERE: dict[str, str] = {
    "notifications_email_delivery": "state in ('SENT', 'FAILED')",
    # Uploads under way end with the addresses that were given out for them.
    "iam_avatar": "state = 'SHOWN' and user_id is not null",
}

_SECRET = re.compile(
    r"password|secret|token|digest|private_key|credential|otp|recovery_code|key_hash|signing_key|encrypted|ciphertext"
)
# Columns that read like secrets and are none, or that the tenant's customers hold already.
_NO_SECRET = frozenset(
    {
        ("invoices_invoice", "link_token"),  # the address of the customer's own page, printed on the invoice
        ("tenancy_domain_claim", "token"),  # published in DNS; replaced above
    }
)


@dataclass(frozen=True, slots=True)
class Selection:
    """The shared tables of which a tenant's rows travel, in reference order, and the others with the reason."""

    tables: tuple[Table, ...]
    left_out: dict[str, str]


def is_secret(table: str, column: str) -> bool:
    """Whether a column's values must never leave the database."""
    return bool(_SECRET.search(column)) and (table, column) not in _NO_SECRET


def select_shared(public: list[Table]) -> Selection:
    """Choose among the tables of ``public`` those that hold rows of tenants."""
    chosen: dict[str, Table] = {}
    left_out: dict[str, str] = {}
    for table in public:
        if table.column(OWNER_COLUMN) is None:
            continue
        if reason := LEFT_OUT.get(table.name) or _reason_to_stay(table, set(chosen)):
            left_out[table.name] = reason
        else:
            chosen[table.name] = table
    return Selection(tuple(chosen.values()), left_out)


def _reason_to_stay(table: Table, chosen: set[str]) -> str:
    known = chosen | {TENANT_TABLE, PEOPLE_TABLE, table.name}
    for column, target in table.references:
        found = table.column(column)
        if target not in known and found is not None and not found.nullable:
            return f"refers to {target}, which stays behind"
    for item in table.columns:
        if is_secret(table.name, item.name) and not item.nullable:
            return f"rows of {table.name} are good only with their {item.name}"
    return ""


def exported_value(table: Table, column: Column, chosen: set[str] | None) -> str:
    """The SQL that stands for a column in the archive: its name, or what is written instead.

    `chosen`: the shared tables that travel, for a shared table; all tables of a tenant's schema do.
    """
    name = f'"{column.name}"'
    if instead := INSTEAD.get(table.name, {}).get(column.name):
        return f"{instead} as {name}"
    if is_secret(table.name, column.name):
        return f"{_emptiness(column)} as {name}"
    targets = {target for of, target in table.references if of == column.name}
    if chosen is not None and column.nullable and not targets <= chosen | {TENANT_TABLE, PEOPLE_TABLE, table.name}:
        return f"null::{column.type} as {name}"
    return name


def _emptiness(column: Column) -> str:
    if column.nullable:
        return f"null::{column.type}"
    empty = {
        "jsonb": "'{}'",
        "json": "'{}'",
        "bytea": "''",
        "bool": "'f'",
        "uuid": f"'{'0' * 8}-0000-0000-0000-{'0' * 12}'",
    }
    if column.category == "N":
        return f"0::{column.type}"
    if column.category == "A":
        return f"'{{}}'::{column.type}"
    return f"{empty.get(column.type, chr(39) * 2)}::{column.type}"

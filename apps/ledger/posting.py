"""The one statement that writes an entry with its legs, opening accounts in new currencies on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core import ids
from apps.ledger.accounts import CHART

# An account that a concurrent transaction opens is invisible to this statement's snapshot: DO UPDATE waits for
# that transaction and returns the row all the same. Ordering the rows keeps two such statements from deadlocking.
_POST = """
with leg as (
    select *
      from unnest(%(posting_ids)s::uuid[], %(account_ids)s::uuid[], %(codes)s::text[], %(names)s::text[],
                  %(kinds)s::text[], %(currencies)s::text[], %(amounts)s::bigint[])
      with ordinality as leg(id, account_id, code, name, kind, currency, amount_minor, position)
), entry as (
    insert into ledger_entry
           (id, key, kind, occurred_on, description, source_type, source_id, reverses_id, created_at)
    values (%(id)s, %(key)s, %(kind)s, %(occurred_on)s, %(description)s, %(source_type)s, %(source_id)s,
            %(reverses)s, %(now)s)
    on conflict (key) do nothing
    returning id
), opened as (
    insert into ledger_account (id, code, name, kind, currency, created_at)
    select distinct on (leg.code, leg.currency)
           leg.account_id, leg.code, leg.name, leg.kind, leg.currency, %(now)s
      from leg cross join entry
     where not exists (select from ledger_account a where a.code = leg.code and a.currency = leg.currency)
     order by leg.code, leg.currency
    on conflict (code, currency) do update set name = ledger_account.name
    returning id, code, currency
), account as (
    select id, code, currency from opened
    union all
    select id, code, currency from ledger_account
     where (code, currency) in (select leg.code, leg.currency from leg)
)
insert into ledger_posting (id, entry_id, account_id, currency, amount_minor, position)
select leg.id, entry.id, account.id, leg.currency, leg.amount_minor, leg.position
  from leg cross join entry join account on account.code = leg.code and account.currency = leg.currency
returning entry_id
"""


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of an entry: `account` is a code of the chart; debit positive, credit negative."""

    account: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """What an entry says beside its legs."""

    key: str
    kind: str
    occurred_on: date
    description: str
    source_type: str
    source_id: UUID
    reverses: UUID | None = None


def insert_entry(entry: NewEntry, legs: Sequence[Leg], *, now: datetime) -> UUID | None:
    """Write the entry; its id, or None when the key was used before."""
    accounts = [CHART[leg.account] for leg in legs]
    parameters: dict[str, Any] = {
        "id": ids.uuid7(),
        "key": entry.key,
        "kind": entry.kind,
        "occurred_on": entry.occurred_on,
        "description": entry.description,
        "source_type": entry.source_type,
        "source_id": entry.source_id,
        "reverses": entry.reverses,
        "now": now,
        "posting_ids": [ids.uuid7() for _ in legs],
        "account_ids": [ids.uuid7() for _ in legs],
        "codes": [account.code for account in accounts],
        "names": [account.name for account in accounts],
        "kinds": [account.kind.value for account in accounts],
        "currencies": [leg.currency for leg in legs],
        "amounts": [leg.amount_minor for leg in legs],
    }
    with connection.cursor() as cursor:
        cursor.execute(_POST, parameters)
        row = cursor.fetchone()
    return row[0] if row else None

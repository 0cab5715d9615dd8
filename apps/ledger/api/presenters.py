"""The ledger as the API shows it."""

from collections.abc import Iterable
from typing import Any

from apps.core.tenants import Row
from apps.ledger import selectors
from apps.ledger.models import Entry
from apps.ledger.selectors import AccountView, EntryView, TrialBalance


def present_account(account: AccountView) -> dict[str, Any]:
    """An account with its balance; debit positive."""
    return {
        "id": account.id,
        "code": account.code,
        "name": account.name,
        "kind": account.kind,
        "currency": account.currency,
        "debit_minor": account.debit_minor,
        "credit_minor": account.credit_minor,
        "balance_minor": account.balance_minor,
    }


def present_entry(entry: EntryView) -> dict[str, Any]:
    """An entry with its legs."""
    return {
        "id": entry.id,
        "key": entry.key,
        "kind": entry.kind,
        "occurred_on": entry.occurred_on,
        "description": entry.description,
        "source": {"type": entry.source_type, "id": entry.source_id},
        "reverses_id": entry.reverses_id,
        "reversed_by_id": entry.reversed_by_id,
        "postings": [
            {
                "account": {"code": leg.account_code, "name": leg.account_name},
                "amount_minor": leg.amount_minor,
                "currency": leg.currency,
            }
            for leg in entry.postings
        ],
        "created_at": entry.created_at,
    }


def present_newest(_tenant: Any, entries: Iterable[Entry], legs: Iterable[Row]) -> list[dict[str, Any]]:
    """What was found of `selectors.NEWEST`."""
    return [present_entry(entry) for entry in selectors.views(entries, legs)]


def present_trial_balance(balance: TrialBalance) -> dict[str, Any]:
    """One currency's trial balance: each balance stands on its side."""
    return {
        "currency": balance.currency,
        "accounts": [
            {
                "code": row.code,
                "name": row.name,
                "kind": row.kind,
                "debit_minor": max(row.balance_minor, 0),
                "credit_minor": max(-row.balance_minor, 0),
            }
            for row in balance.rows
        ],
        "debit_minor": balance.debit_minor,
        "credit_minor": balance.credit_minor,
        "is_balanced": balance.is_balanced,
    }

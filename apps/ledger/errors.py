"""Refusals of the ledger."""

from apps.core.errors import Conflict, DomainError


class EntryNotBalanced(DomainError):
    """Fewer than two legs, a leg of nothing, or debits that differ from credits in a currency."""

    code, status, title = "entry_not_balanced", 400, "Debits and credits do not balance"


class UnknownAccount(DomainError):
    """A leg names an account that is not in the chart, or a currency that is none."""

    code, status, title = "unknown_account", 400, "There is no such account"


class EntryKeyReused(Conflict):
    """The key was used before for other amounts or accounts."""

    code, title = "entry_key_reused", "Something else was posted under this key"


class AlreadyReversed(Conflict):
    """An entry can be taken back once."""

    code, title = "entry_already_reversed", "This entry was already reversed"

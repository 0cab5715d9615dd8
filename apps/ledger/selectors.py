"""Reading the books. Balances count debits positive and credits negative, in minor units."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet

from apps.core.actor import Actor
from apps.core.errors import NotFound, ValidationFailed
from apps.core.rest.ordering import AGE, SortKeys, by_day
from apps.core.rest.paging import Page, PageRequest, paginate
from apps.core.rest.thin import CompiledList
from apps.core.tenants import Row
from apps.ledger.models import Entry, Posting

_BALANCES = """
select a.id, a.code, a.name, a.kind, a.currency,
       coalesce(sum(p.amount_minor) filter (where p.amount_minor > 0), 0)::bigint as debit_minor,
       coalesce(-sum(p.amount_minor) filter (where p.amount_minor < 0), 0)::bigint as credit_minor
  from ledger_account a
  left join (ledger_posting p join ledger_entry e on e.id = p.entry_id and e.occurred_on <= %(as_of)s)
    on p.account_id = a.id
 where %(currency)s = '' or a.currency = %(currency)s
 group by a.id
 order by a.code, a.currency
"""
_FOREVER = date.max
# What the list may be sorted by, each with its index.
KEYS: SortKeys = {"created_at": AGE, "occurred_on": by_day("occurred_on")}


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account in one currency with what was ever debited and credited to it."""

    id: UUID
    code: str
    name: str
    kind: str
    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        """Debits less credits; negative is a credit balance."""
        return self.debit_minor - self.credit_minor


@dataclass(frozen=True, slots=True)
class PostingView:
    """One leg: debit positive, credit negative."""

    account_code: str
    account_name: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with its legs in the order of posting."""

    id: UUID
    key: str
    kind: str
    occurred_on: date
    description: str
    source_type: str
    source_id: UUID
    reverses_id: UUID | None
    reversed_by_id: UUID | None
    created_at: datetime
    postings: tuple[PostingView, ...]


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The books in one currency: every account moved so far, and totals that must agree."""

    currency: str
    rows: tuple[AccountView, ...]

    @property
    def debit_minor(self) -> int:
        """The sum of the debit balances."""
        return sum(max(row.balance_minor, 0) for row in self.rows)

    @property
    def credit_minor(self) -> int:
        """The sum of the credit balances."""
        return sum(max(-row.balance_minor, 0) for row in self.rows)

    @property
    def is_balanced(self) -> bool:
        """Whether both sides agree; the database sees to it that they do."""
        return self.debit_minor == self.credit_minor


def list_accounts(*, actor: Actor, currency: str = "", as_of: date | None = None) -> list[AccountView]:
    """Every account with its balance up to and including `as_of`, by code and currency.

    Raises:
        PermissionRefused: the actor lacks ``ledger:read``.
    """
    actor.require("ledger:read")
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, {"as_of": as_of or _FOREVER, "currency": currency.upper()})
        return [AccountView(*row) for row in cursor.fetchall()]


def trial_balance(*, actor: Actor, as_of: date | None = None) -> list[TrialBalance]:
    """One trial balance a currency that was ever posted in, by currency.

    Raises:
        PermissionRefused: the actor lacks ``ledger:read``.
    """
    moved = [row for row in list_accounts(actor=actor, as_of=as_of) if row.debit_minor or row.credit_minor]
    currencies = sorted({row.currency for row in moved})
    return [TrialBalance(code, tuple(row for row in moved if row.currency == code)) for code in currencies]


def list_entries(*, actor: Actor, page: PageRequest, filters: Mapping[str, str] | None = None) -> Page[EntryView]:
    """Entries, newest first. Filters: kind, account, currency, source_type, source_id, from, to (days, inclusive).

    Raises:
        PermissionRefused: the actor lacks ``ledger:read``.
        ValidationFailed: a filter is malformed.
    """
    actor.require("ledger:read")
    found = paginate(_filtered(_entries(), filters or {}), page)
    return Page(views(found.rows, _legs(found.rows)), found.next_cursor)


def get_entry(*, actor: Actor, entry_id: UUID) -> EntryView:
    """One entry.

    Raises:
        PermissionRefused: the actor lacks ``ledger:read``.
        NotFound: there is none.
    """
    actor.require("ledger:read")
    entry = _entries().filter(pk=entry_id).first()
    if entry is None:
        raise NotFound("There is no such ledger entry.")
    return views([entry], _legs([entry]))[0]


def entries_of(*, actor: Actor, source_type: str, source_id: UUID) -> list[EntryView]:
    """What was posted for one object (an invoice, a payment), oldest first.

    Raises:
        PermissionRefused: the actor lacks ``ledger:read``.
    """
    actor.require("ledger:read")
    entries = list(_entries().filter(source_type=source_type, source_id=source_id).order_by("pk"))
    return views(entries, _legs(entries))


def _entries() -> QuerySet[Entry]:
    return Entry.objects.annotate(reversed_by_id=F("reversed_by__pk"))


def _legs(entries: Sequence[Entry] | QuerySet[Entry]) -> QuerySet[Posting, Row]:
    legs = Posting.objects.filter(entry__in=entries).order_by("entry", "position")
    return legs.values_list("entry_id", "account__code", "account__name", "amount_minor", "currency")


# What `list_entries` reads without filters, and the legs of a page of it, for `views`.
NEWEST = CompiledList(lambda _caller: _entries(), beside=lambda _caller, page: [_legs(page)])


def _filtered(entries: QuerySet[Entry], filters: Mapping[str, str]) -> QuerySet[Entry]:
    for name in ("kind", "source_type"):
        if value := filters.get(name):
            entries = entries.filter(**{name: value})
    if value := filters.get("source_id"):
        entries = entries.filter(source_id=_uuid("source_id", value))
    legs = {}
    if value := filters.get("account"):
        legs["account__code"] = value
    if value := filters.get("currency"):
        legs["currency"] = value.upper()
    if legs:
        entries = entries.filter(pk__in=Posting.objects.filter(**legs).values("entry_id"))
    if value := filters.get("from"):
        entries = entries.filter(occurred_on__gte=read_day("from", value))
    if value := filters.get("to"):
        entries = entries.filter(occurred_on__lte=read_day("to", value))
    return entries


def read_day(field: str, value: str) -> date:
    """A day written ``YYYY-MM-DD``.

    Raises:
        ValidationFailed: it is not one.
    """
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise ValidationFailed.one(field, "invalid", "Write the day as YYYY-MM-DD.") from error


def _uuid(field: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise ValidationFailed.one(field, "invalid", "This is not an id.") from error


def views(entries: Iterable[Entry], legs: Iterable[Row]) -> list[EntryView]:
    """The plain values of entries and of all their legs, which are in the order of posting."""
    of_entry: dict[UUID, list[PostingView]] = defaultdict(list)
    for entry_id, *leg in legs:
        of_entry[entry_id].append(PostingView(*leg))
    return [_view(entry, tuple(of_entry[entry.id])) for entry in entries]


def _view(entry: Entry, postings: tuple[PostingView, ...]) -> EntryView:
    own = {name: getattr(entry, name) for name in EntryView.__dataclass_fields__ if name != "postings"}
    return EntryView(**own, postings=postings)

"""Writing the books: entries are added, never changed; a mistake is taken back by a reversal."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import NotFound
from apps.core.money import MAX_MINOR, is_currency
from apps.ledger.accounts import CHART
from apps.ledger.errors import AlreadyReversed, EntryKeyReused, EntryNotBalanced, UnknownAccount
from apps.ledger.models import Account, Entry, Posting
from apps.ledger.posting import Leg, NewEntry, insert_entry

__all__ = ["Leg", "create_chart", "post", "reverse"]


def create_chart(*, currency: str, now: datetime | None = None) -> None:
    """Open every account of the chart in `currency`; those that exist stay as they are."""
    opened_at = now or utcnow()
    Account.objects.bulk_create(
        [
            Account(code=line.code, name=line.name, kind=line.kind, currency=currency, created_at=opened_at)
            for line in CHART.values()
        ],
        ignore_conflicts=True,
    )


def post(
    *,
    actor: Actor,
    key: str,
    kind: str,
    occurred_on: date,
    description: str,
    source_type: str,
    source_id: UUID,
    legs: Sequence[Leg],
    reverses: UUID | None = None,
    now: datetime | None = None,
) -> UUID:
    """Post an entry within the caller's transaction; returns its id.

    Posting again under the same `key` changes nothing and returns the first entry's id. No permission is asked:
    the service that calls has checked what its actor may do. Legs in a currency that the tenant has not used
    before open the accounts they need.

    Raises:
        EntryNotBalanced: fewer than two legs, a zero leg, or a currency whose legs do not sum to zero.
        UnknownAccount: an account outside the chart, or no currency.
        EntryKeyReused: the key stands for an entry with other legs.
        AlreadyReversed: `reverses` names an entry that another one has taken back.
    """
    _check(legs)
    entry = NewEntry(
        key=key,
        kind=kind,
        occurred_on=occurred_on,
        description=description[:300],
        source_type=source_type,
        source_id=source_id,
        reverses=reverses,
    )
    try:
        with transaction.atomic():
            entry_id = insert_entry(entry, legs, now=now or utcnow())
    except IntegrityError as error:
        if "reverses" in str(error):
            raise AlreadyReversed from error
        raise
    if entry_id is None:
        return _posted_before(key, legs)
    audit.record(
        actor=actor,
        action="ledger.entry.post",
        entity_type="ledger_entry",
        entity_id=entry_id,
        entity_label=key,
        after={
            "kind": kind,
            "occurred_on": occurred_on.isoformat(),
            "reverses": reverses,
            "legs": [[leg.account, leg.amount_minor, leg.currency] for leg in legs],
        },
    )
    return entry_id


def reverse(*, actor: Actor, original_key: str, key: str, kind: str, occurred_on: date, description: str) -> UUID:
    """Take back the entry posted under `original_key` by one with every leg turned around; idempotent per `key`.

    Raises:
        NotFound: nothing was posted under `original_key`.
        AlreadyReversed: another entry has taken it back.
    """
    original = Entry.objects.filter(key=original_key).first()
    if original is None:
        raise NotFound("There is no such ledger entry.")
    return post(
        actor=actor,
        key=key,
        kind=kind,
        occurred_on=occurred_on,
        description=description,
        source_type=original.source_type,
        source_id=original.source_id,
        legs=[Leg(leg.account, -leg.amount_minor, leg.currency) for leg in _legs(original.id)],
        reverses=original.id,
    )


def _check(legs: Sequence[Leg]) -> None:
    if len(legs) < 2:
        raise EntryNotBalanced("An entry needs at least two legs.")
    sums: Counter[str] = Counter()
    for leg in legs:
        if leg.account not in CHART:
            raise UnknownAccount(f"There is no account {leg.account}.")
        if not is_currency(leg.currency):
            raise UnknownAccount(f"{leg.currency} is not a currency.")
        if leg.amount_minor == 0 or abs(leg.amount_minor) > MAX_MINOR:
            raise EntryNotBalanced("A leg moves an amount other than zero, within what the books can hold.")
        sums[leg.currency] += leg.amount_minor
    if uneven := sorted(currency for currency, total in sums.items() if total):
        raise EntryNotBalanced(f"Debits and credits differ in {', '.join(uneven)}.")


def _posted_before(key: str, legs: Sequence[Leg]) -> UUID:
    entry_id: UUID = Entry.objects.values_list("pk", flat=True).get(key=key)
    if Counter(_legs(entry_id)) != Counter(legs):
        raise EntryKeyReused(f"The key {key} stands for another entry.")
    return entry_id


def _legs(entry_id: UUID) -> list[Leg]:
    rows = Posting.objects.filter(entry_id=entry_id).order_by("position")
    return [Leg(*row) for row in rows.values_list("account__code", "amount_minor", "currency")]

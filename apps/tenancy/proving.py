"""A domain that a tenant proves by a TXT record, whatever the domain is good for then: its states and its next look.

PENDING becomes VERIFIED when DNS names the token, and is looked at again every day. Only an answer that denies the
token counts against a domain, never a name server that does not answer; after `LOST_AFTER` such answers it is LOST
until DNS names the token again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol, Self
from uuid import UUID

from apps.tenancy import dns_proof, hosts
from apps.tenancy.dns_proof import Proof
from apps.tenancy.models import ClaimState

__all__ = ["Proof", "ProofView", "ProvedRow", "Verdict", "ask", "next_check", "was_just_asked", "weigh"]

LOST_AFTER = 5
RECHECK, RECHECK_FAILED, RECHECK_SILENT = timedelta(days=1), timedelta(hours=6), timedelta(minutes=10)
FIRST_WAIT, LONGEST_WAIT, GIVE_UP_AFTER = timedelta(minutes=1), timedelta(hours=1), timedelta(days=7)
# Nobody learns more by asking DNS more often than this.
SHORTEST_WAIT = timedelta(seconds=5)
# Who asks DNS has this long to say what it said, before somebody else asks.
LEASE = timedelta(minutes=2)
_MOST_FAILURES = 1000


class Verdict(Enum):
    """What an answer of DNS means for a domain."""

    ACCEPT = "ACCEPT"
    KEEP = "KEEP"
    LOSE = "LOSE"


class ProvedRow(Protocol):
    """The columns of a domain that is proved so; `state` has the words of `ClaimState`."""

    id: UUID
    domain: str
    token: str
    state: str
    failures: int
    last_error: str
    checked_at: datetime | None
    next_check_at: datetime | None
    verified_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProofView:
    """A domain and its proof; `last_error` is ``absent``, ``silent``, ``taken`` or empty."""

    id: UUID
    domain: str
    state: str
    last_error: str
    checked_at: datetime | None
    verified_at: datetime | None
    created_at: datetime
    record_name: str
    record_value: str

    @property
    def readable(self) -> str:
        """The name in its own script."""
        return hosts.readable(self.domain)

    @classmethod
    def of(cls, row: ProvedRow, **more: Any) -> Self:
        """The row as it is shown; `more` are the fields of a subclass."""
        return cls(
            id=row.id,
            domain=row.domain,
            state=row.state,
            last_error=row.last_error,
            checked_at=row.checked_at,
            verified_at=row.verified_at,
            created_at=row.created_at,
            record_name=dns_proof.record_name(row.domain),
            record_value=dns_proof.record_value(row.token),
            **more,
        )


def ask(row: ProvedRow) -> Proof:
    """What DNS says of the domain now; takes at most ``DNS_TIMEOUT`` seconds, outside any transaction."""
    return dns_proof.ask(row.domain, row.token)


def was_just_asked(row: ProvedRow, now: datetime) -> bool:
    """Whether the last answer still stands."""
    return row.checked_at is not None and now - row.checked_at < SHORTEST_WAIT


def weigh(row: ProvedRow, proof: Proof, now: datetime) -> Verdict:
    """Note on the row what DNS said; the caller carries out what it means and saves."""
    row.checked_at, row.last_error = now, "" if proof is Proof.PROVEN else proof.value.lower()
    is_verified = row.state == ClaimState.VERIFIED
    if proof is Proof.PROVEN:
        row.failures = 0
        return Verdict.KEEP if is_verified else Verdict.ACCEPT
    if proof is Proof.ABSENT:
        row.failures = min(row.failures + 1, _MOST_FAILURES)
        if is_verified and row.failures >= LOST_AFTER:
            return Verdict.LOSE
    return Verdict.KEEP


def next_check(row: ProvedRow, proof: Proof, now: datetime) -> datetime | None:
    """When to look again, of a row whose state says already what `proof` meant; None: not by itself."""
    if row.state == ClaimState.VERIFIED:
        waits = {Proof.PROVEN: RECHECK, Proof.ABSENT: RECHECK_FAILED, Proof.SILENT: RECHECK_SILENT}
        return now + waits[proof]
    if row.state == ClaimState.LOST or now - row.created_at > GIVE_UP_AFTER:
        return None
    return now + min(FIRST_WAIT * int(2 ** min(row.failures, 10)), LONGEST_WAIT)

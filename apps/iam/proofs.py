"""How somebody showed who he is: by which methods, when last at all, and when last by more than one factor."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

PASSWORD, CODE, PASSKEY, SYNCED_PASSKEY, FEDERATED = "pwd", "otp", "hwk", "swk", "fed"
# Says that more than one factor was shown; whoever starts a sign-in with it vouches for that.
STRONG = "mfa"

_OWN = frozenset({PASSWORD, PASSKEY, SYNCED_PASSKEY})
_OWN_SECOND = frozenset({CODE, PASSKEY, SYNCED_PASSKEY})


def is_vouched_for(methods: Iterable[str]) -> bool:
    """Whether a workspace's provider said who it is and the person himself has shown nothing of his own."""
    shown = frozenset(methods)
    return FEDERATED in shown and not shown & _OWN


@dataclass(frozen=True, slots=True)
class Proof:
    """`methods` are ``amr`` words (RFC 8176; ``fed`` for another's sign-in); `strong_at` is empty for one factor."""

    methods: tuple[str, ...]
    proved_at: datetime
    strong_at: datetime | None

    @classmethod
    def given(cls, methods: tuple[str, ...], now: datetime) -> Self:
        """What was shown this moment; with the word ``mfa`` it is strong."""
        return cls(methods, now, now if STRONG in methods else None)

    def own(self) -> Self:
        """What of it the person showed himself: what his provider said of him counts in its own workspace alone."""
        if FEDERATED not in self.methods:
            return self
        is_strong = not _OWN_SECOND.isdisjoint(self.methods)
        words = tuple(word for word in self.methods if word != FEDERATED and (is_strong or word != STRONG))
        return replace(self, methods=words, strong_at=self.strong_at if is_strong else None)

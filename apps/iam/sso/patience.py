"""How long a provider is waited for, and how often one that fails is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from apps.core import ids
from apps.core.breaker import Breaker, BreakerOpen
from apps.iam.sso.errors import ProviderFailed

# A person waits on the sign-in page meanwhile, and a thread of ours with him.
ANSWER_SECONDS = 5.0
RETRY_SECONDS = 30


@contextmanager
def asking(url: str, *, now: bool = False) -> Iterator[None]:
    """Ask what is at `url` inside: while it fails, one caller in `RETRY_SECONDS` does, the others are refused at once.

    `now` asks in any case.

    Raises:
        ProviderFailed: it failed a moment ago.
    """
    breaker = breaker_of(url)
    if now:
        breaker.reset()
    try:
        with breaker.guard(ProviderFailed):
            yield
    except BreakerOpen as error:
        raise ProviderFailed(reason="no_answer") from error


def breaker_of(url: str) -> Breaker:
    """What keeps count of the failures of one address; the first is enough."""
    probe_seconds = int(2 * ANSWER_SECONDS)
    return Breaker("sso", 1, RETRY_SECONDS, successes=1, probe_seconds=probe_seconds, instance=ids.token_digest(url))

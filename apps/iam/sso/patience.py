"""How long a provider is waited for, and how often one that fails is asked (a circuit breaker across processes)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache

from apps.core import ids
from apps.iam.sso.errors import ProviderFailed

# A person waits on the sign-in page meanwhile, and a thread of ours with him.
ANSWER_SECONDS = 5.0
RETRY_SECONDS, FAILED_SECONDS = 30, 600


@contextmanager
def asking(url: str, *, now: bool = False) -> Iterator[None]:
    """Ask what is at `url` inside: while it fails, one caller in `RETRY_SECONDS` does, the others know without asking.

    `now` asks in any case.

    Raises:
        ProviderFailed: as it failed before.
    """
    failed = _key(url)
    known = None if now else cache.get(failed)
    if known is not None and not cache.add(_turn(failed), 1, RETRY_SECONDS):
        raise ProviderFailed(reason=known)
    try:
        yield
    except ProviderFailed as error:
        cache.set(_turn(failed), 1, RETRY_SECONDS)
        cache.set(failed, error.extra["reason"], FAILED_SECONDS)
        raise
    if now or known is not None:
        forget(url)


def forget(url: str) -> None:
    """Whatever is at `url` answers again."""
    failed = _key(url)
    cache.delete_many([failed, _turn(failed)])


def _key(url: str) -> str:
    return f"iam:sso:failed:{ids.token_digest(url)}"


def _turn(failed: str) -> str:
    return f"{failed}:turn"

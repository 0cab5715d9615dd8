"""A receiver, and breakers that forget."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.factories.webhooks import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that listens on this machine."""
    with receiving() as running:
        yield running


@pytest.fixture(autouse=True)
def own_surroundings(settings: Any) -> None:
    """The state of breakers is this test's own, and receivers on this machine may be called."""
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid4().hex}}

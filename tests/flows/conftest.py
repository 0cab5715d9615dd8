"""A person with a workspace, in front of the running product."""

from collections.abc import Callable

import pytest

from apps.tenancy.selectors import TenantView
from tests.fixtures.stack import Stack
from tests.flows.story import Person, member


@pytest.fixture
def owner(stack: Stack, committed: Callable[[str], TenantView]) -> Person:
    """The owner of a workspace that holds nothing yet."""
    return member(stack, committed("Sails and Ropes"))

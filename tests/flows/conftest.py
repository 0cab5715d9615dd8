"""All flows run in one test process, which so starts the product once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from apps.tenancy.selectors import TenantView
from tests.fixtures.stack import Stack
from tests.flows.story import Person, member

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the flows together under ``--dist loadgroup``."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture
def owner(stack: Stack, committed: Callable[[str], TenantView]) -> Person:
    """The owner of a workspace that holds nothing yet."""
    return member(stack, committed("Sails and Ropes"))

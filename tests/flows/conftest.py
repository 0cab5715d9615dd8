"""A person with a workspace, in front of the running product.

``ROLLOUT_MODE=SINGLE_TENANT`` in the environment runs every flow where everybody shares one workspace.
"""

from collections.abc import Callable

import pytest

from apps.tenancy import rollout
from apps.tenancy.selectors import TenantView
from tests.fixtures.stack import Stack
from tests.flows.story import Person, member


@pytest.fixture
def owner(stack: Stack, committed: Callable[[str], TenantView]) -> Person:
    """The owner of a workspace that holds nothing yet."""
    tenant = committed("Sails and Ropes")
    if rollout.is_single():
        stack.share(tenant)
    return member(stack, tenant)

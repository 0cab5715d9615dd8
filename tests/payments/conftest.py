"""Every test here speaks to the Stripe sandbox, with a closed breaker and a known webhook secret."""

from typing import Any

import pytest

from apps.payments.gateways.stripe import BREAKER
from tests.fixtures.processes import Sandbox


@pytest.fixture(autouse=True)
def stripe_settings(settings: Any) -> None:
    """A webhook secret, and a breaker that no earlier test has opened."""
    settings.STRIPE_WEBHOOK_SECRET = "whsec_" + "t" * 32
    BREAKER.reset()


@pytest.fixture
def sandbox(stripe_sandbox: Sandbox) -> Sandbox:
    """The Stripe sandbox, empty."""
    return stripe_sandbox

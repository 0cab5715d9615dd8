"""A browser that has signed in nowhere yet."""

import pytest
from django.conf import settings
from django.test import Client


@pytest.fixture
def platform() -> Client:
    """A browser on the platform's host."""
    return Client(SERVER_NAME=settings.PLATFORM_HOST)

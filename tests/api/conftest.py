"""The caller of most tests here."""

import pytest
from rest_framework.test import APIClient

from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor


@pytest.fixture
def client(acme: TenantView, api: ApiFor) -> APIClient:
    """Acme's owner."""
    return api(acme)

"""New master keys reach every sealed secret, in the shared tables and in each tenant's own."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.core.clock import utcnow
from apps.tenancy.selectors import TenantView
from apps.webhooks import endpoint_secrets
from tests.factories.webhooks import make_endpoint
from tests.fixtures.tenants import in_tenant

NEW = "new master key, long enough to pass the settings"


def test_an_old_key_can_be_taken_out(acme: TenantView, globex: TenantView, settings: Any) -> None:
    old = list(settings.SEALING_KEYS)
    made = {tenant: make_endpoint(tenant) for tenant in (acme, globex)}
    settings.SEALING_KEYS = [NEW, *old]
    call_command("reseal")
    settings.SEALING_KEYS = [NEW]
    for tenant, endpoint in made.items():
        with in_tenant(tenant):
            found = endpoint_secrets.signing_secrets(endpoint.endpoint.id, now=utcnow())
        assert found == [endpoint.secret]
    settings.SEALING_KEYS = ["a third key that opens nothing of what is there"]
    with pytest.raises(CommandError, match="webhooks_secret"):
        call_command("reseal")

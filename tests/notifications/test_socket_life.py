"""Open pages hear when their workspace is suspended, active again, or deleted."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from websockets.exceptions import ConnectionClosed

from apps.core.actor import system
from apps.tenancy import deleting, services
from apps.tenancy.selectors import TenantView
from tests.notifications.conftest import NewTenant, Realtime, heard

BrowserFor = Callable[..., Client]


@pytest.fixture
def tenant(realtime: Realtime, committed: NewTenant) -> TenantView:
    return committed(f"Anchorage {uuid4().hex[:6]}")


def test_suspended_active_again_and_deleted(realtime: Realtime, tenant: TenantView, browser_client: BrowserFor) -> None:
    cookie = str(browser_client(tenant, "VIEWER").cookies["sessionid"].value)
    platform = system(tenant.id)
    with realtime.open(tenant.host, cookie=cookie) as opened:
        assert heard(opened)["type"] == "hello"
        services.suspend_tenant(actor=platform, tenant_id=tenant.id)
        assert heard(opened) == {"type": "workspace", "cursor": 0, "status": "SUSPENDED"}
        services.reactivate_tenant(actor=platform, tenant_id=tenant.id)
        assert heard(opened) == {"type": "workspace", "cursor": 0, "status": "ACTIVE"}
        deleting.delete_tenant(actor=platform, tenant_id=tenant.id)
        with pytest.raises(ConnectionClosed) as closed:
            heard(opened)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401

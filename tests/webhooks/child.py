"""A worker to be killed: ``python -m tests.webhooks.child TENANT ENDPOINT`` gives the endpoint its turn."""

import sys
from uuid import UUID

import django

django.setup()

from apps.core.tenants import tenant_scope  # noqa: E402
from apps.tenancy import selectors as tenancy  # noqa: E402
from apps.webhooks import sending  # noqa: E402

if __name__ == "__main__":
    with tenant_scope(tenancy.tenant_by_id(UUID(sys.argv[1])).scope):
        sending.take_turn(endpoint_id=UUID(sys.argv[2]), total_seconds=60)

"""A process to be killed: ``python -m tests.payments.child VERB TENANT [ID]``."""

import sys
from uuid import UUID

import django

django.setup()

from apps.core.actor import system  # noqa: E402
from apps.core.tenants import tenant_scope  # noqa: E402
from apps.payments import inbox, services  # noqa: E402
from apps.tenancy import selectors as tenancy  # noqa: E402


def main(verb: str, tenant_id: UUID, row_id: UUID) -> None:
    """Do one thing to one row, as a web or worker process would."""
    actor = system(tenant_id)
    if verb == "process_event":
        inbox.process_event(event_row_id=row_id)
        return
    with tenant_scope(tenancy.tenant_by_id(tenant_id).scope):
        if verb == "open_checkout":
            services.open_checkout(actor=actor, payment_id=row_id)
        elif verb == "refund":
            services.refund(actor=actor, payment_id=row_id, amount_minor=1900)
        elif verb == "check":
            services.check_payment(actor=actor, payment_id=row_id)


if __name__ == "__main__":
    main(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3]))

"""What webhooks tell of what happened below them, in the transaction in which it happened."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from apps.core.clock import utcnow
from apps.core.events import Event, subscribe
from apps.core.jobs import wake
from apps.core.tenants import current_scope, tenant_scope
from apps.iam import events as people
from apps.iam import selectors as iam
from apps.invoices import events as invoicing
from apps.payments import events as paying
from apps.tenancy import selectors as tenancy
from apps.webhooks import recording, tasks
from apps.webhooks.catalogue import CATALOGUE
from apps.webhooks.events import DeliveriesOwed

# A hint for later than this is left to the sweep.
LATEST_HINT = timedelta(minutes=5)
# What each fact is called outside, by the attribute that names the thing it is about.
CLIENT_FACTS: dict[type[Event], str] = {
    invoicing.ClientCreated: "client.created",
    invoicing.ClientUpdated: "client.updated",
    invoicing.ClientDeleted: "client.deleted",
}
INVOICE_FACTS: dict[type[Event], str] = {
    invoicing.InvoiceCreated: "invoice.created",
    invoicing.InvoiceFinalized: "invoice.finalized",
    invoicing.InvoiceSent: "invoice.sent",
    invoicing.InvoiceViewed: "invoice.viewed",
    invoicing.InvoicePartiallyPaid: "invoice.partially_paid",
    invoicing.InvoicePaid: "invoice.paid",
    invoicing.InvoiceReopened: "invoice.reopened",
    invoicing.InvoiceOverdue: "invoice.overdue",
    invoicing.InvoiceVoided: "invoice.void",
    invoicing.InvoiceMarkedUncollectible: "invoice.uncollectible",
}
PAYMENT_FACTS: dict[type[Event], str] = {
    paying.PaymentSucceeded: "payment.succeeded",
    paying.PaymentFailed: "payment.failed",
    paying.PaymentRefunded: "payment.refunded",
    paying.RefundFailed: "payment.refund_failed",
}
MEMBER_FACTS: dict[type[Event], str] = {
    people.MemberJoined: "member.joined",
    people.MemberRolesChanged: "member.role_changed",
    people.MemberBanned: "member.banned",
    people.MemberUnbanned: "member.unbanned",
    people.MemberRemoved: "member.removed",
}
FACTS = {
    "client_id": CLIENT_FACTS,
    "invoice_id": INVOICE_FACTS,
    "payment_id": PAYMENT_FACTS,
    "membership_id": MEMBER_FACTS,
}


@subscribe(DeliveriesOwed)
def wake_delivery(event: DeliveriesOwed) -> None:
    """Somebody sends it when it is due."""
    wait = event.due_at - utcnow()
    if wait > LATEST_HINT:
        return
    after_seconds = wait.total_seconds() if wait > timedelta(0) else None
    for endpoint_id in event.endpoint_ids:
        wake(tasks.deliver, event.tenant_id, endpoint_id, after_seconds=after_seconds)


@subscribe(people.OwnershipTransferred)
def tell_of_new_owner(event: people.OwnershipTransferred) -> None:
    """Two members have other roles."""
    for user_id in (event.from_user_id, event.to_user_id):
        member_id = iam.membership_id_of(tenant_id=event.tenant_id, user_id=user_id)
        _tell(event.tenant_id, "member.role_changed", member_id)


def _tell_of(name: str, attribute: str, event: Event) -> None:
    _tell(event.tenant_id, name, getattr(event, attribute))


def _tell(tenant_id: UUID, name: str, subject_id: UUID) -> None:
    if current_scope().id == tenant_id:
        recording.tell(event=CATALOGUE[name], subject_id=subject_id)
        return
    # What happens to people happens in the shared tables, also before the tenant's own stand and after they went.
    tenant = tenancy.tenant_by_id(tenant_id)
    if tenant.is_readable:
        with tenant_scope(tenant.scope):
            recording.tell(event=CATALOGUE[name], subject_id=subject_id)


for _attribute, _facts in FACTS.items():
    for _fact, _name in _facts.items():
        subscribe(_fact)(partial(_tell_of, _name, _attribute))

"""The facts that webhooks tell, as data: what each is called, what it means, and whose representation it carries.

Integrators rely on it: a name and its meaning never change, new names may come. `VERSION` counts what would break them.
"""

from dataclasses import dataclass
from enum import StrEnum

VERSION = "1"
EVERYTHING = "*"


class Resource(StrEnum):
    """Whose representation, as the API answers it, stands in ``data``."""

    CLIENT = "client"
    INVOICE = "invoice"
    PAYMENT = "payment"
    MEMBER = "member"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of fact. `told` says in one sentence what happened."""

    name: str
    told: str
    resource: Resource

    @property
    def family(self) -> str:
        """The pattern of everything about the same noun: ``invoice.*``."""
        return f"{self.name.partition('.')[0]}.*"

    @property
    def patterns(self) -> tuple[str, str, str]:
        """Each filter that lets it through."""
        return self.name, self.family, EVERYTHING


EVENT_TYPES: tuple[EventType, ...] = (
    EventType("client.created", "A client was added.", Resource.CLIENT),
    EventType("client.updated", "A client's details changed.", Resource.CLIENT),
    EventType("client.deleted", "A client was taken off the list; its invoices stay.", Resource.CLIENT),
    EventType("invoice.created", "A draft was written.", Resource.INVOICE),
    EventType(
        "invoice.finalized", "An invoice got its number and is owed; it cannot change any more.", Resource.INVOICE
    ),
    EventType("invoice.sent", "An invoice is on its way to the client by e-mail; again each time.", Resource.INVOICE),
    EventType("invoice.viewed", "The client opened an invoice for the first time.", Resource.INVOICE),
    EventType("invoice.partially_paid", "Some money came for an invoice, and some is still due.", Resource.INVOICE),
    EventType("invoice.paid", "Nothing is owed on an invoice any more.", Resource.INVOICE),
    EventType("invoice.reopened", "A refund made a paid invoice due again.", Resource.INVOICE),
    EventType("invoice.overdue", "The due date of an open invoice has passed, told once.", Resource.INVOICE),
    EventType("invoice.void", "An issued invoice was cancelled; its number stays taken.", Resource.INVOICE),
    EventType("invoice.uncollectible", "What was due on an invoice was written off.", Resource.INVOICE),
    EventType("payment.succeeded", "Money arrived.", Resource.PAYMENT),
    EventType("payment.failed", "An attempt to pay was declined; the client may try again.", Resource.PAYMENT),
    EventType("payment.refunded", "Money of a payment went back to the client.", Resource.PAYMENT),
    EventType("payment.refund_failed", "A refund came back from the client's bank.", Resource.PAYMENT),
    EventType("member.joined", "Somebody became a member of the workspace.", Resource.MEMBER),
    EventType("member.role_changed", "A member has other roles.", Resource.MEMBER),
    EventType("member.banned", "A member is kept out, until a moment or for good.", Resource.MEMBER),
    EventType("member.unbanned", "A banned member may enter again.", Resource.MEMBER),
    EventType("member.removed", "A member was taken out, or left.", Resource.MEMBER),
    EventType(
        "webhook.test", "Somebody tried an endpoint out; sent to that one whatever it listens to.", Resource.TEST
    ),
)
CATALOGUE: dict[str, EventType] = {each.name: each for each in EVENT_TYPES}
TEST = CATALOGUE["webhook.test"]
# What an endpoint may listen to. A test goes where it is aimed.
PATTERNS: frozenset[str] = frozenset(pattern for each in EVENT_TYPES if each is not TEST for pattern in each.patterns)

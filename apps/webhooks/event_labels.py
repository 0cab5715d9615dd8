"""The events as people choose them: families with their noun, and each event in a few words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise

# The family's pattern, its name, and its events.
FAMILIES: list[tuple[str, Words, list[tuple[str, Words]]]] = [
    (
        "client.*",
        _("Clients"),
        [
            ("client.created", _("A client was added")),
            ("client.updated", _("A client’s details changed")),
            ("client.deleted", _("A client was taken off the list")),
        ],
    ),
    (
        "invoice.*",
        _("Invoices"),
        [
            ("invoice.created", _("A draft was written")),
            ("invoice.finalized", _("An invoice was issued")),
            ("invoice.sent", _("An invoice was sent")),
            ("invoice.viewed", _("The client opened an invoice")),
            ("invoice.partially_paid", _("A part of an invoice was paid")),
            ("invoice.paid", _("An invoice was paid")),
            ("invoice.reopened", _("A refund made an invoice due again")),
            ("invoice.overdue", _("An invoice is overdue")),
            ("invoice.void", _("An invoice was cancelled")),
            ("invoice.uncollectible", _("An invoice was written off")),
        ],
    ),
    (
        "payment.*",
        _("Payments"),
        [
            ("payment.succeeded", _("Money arrived")),
            ("payment.failed", _("A payment was declined")),
            ("payment.refunded", _("Money went back")),
            ("payment.refund_failed", _("A refund came back")),
        ],
    ),
    (
        "member.*",
        _("Team"),
        [
            ("member.joined", _("Somebody joined")),
            ("member.role_changed", _("A member’s roles changed")),
            ("member.banned", _("A member was banned")),
            ("member.unbanned", _("A member may enter again")),
            ("member.removed", _("A member left or was removed")),
        ],
    ),
]
TEST: tuple[str, Words] = ("webhook.test", _("A test"))
_LABELS = dict([TEST, *(event for _pattern, _name, events in FAMILIES for event in events)])


def label_of(name: str) -> Words:
    """The event in words; an event of another release by its name."""
    return _LABELS.get(name, name)

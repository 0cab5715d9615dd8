"""Accounts, entries and their postings. Triggers in the migrations keep entries balanced and unchanged."""

from typing import Any, ClassVar

from django.db import models

from apps.core import ids
from apps.core.money import MAX_MINOR
from apps.ledger.accounts import AccountKind


class TransactionIdField(models.Field):  # type: ignore[type-arg]  # generic in the stubs alone
    """PostgreSQL's 64-bit transaction id; read as text."""

    def db_type(self, connection: Any) -> str:
        """The column's type."""
        return "xid8"


class CurrentTransactionId(models.Func):
    """The id of the transaction at work."""

    function = "pg_current_xact_id"
    template = "%(function)s()"
    output_field = TransactionIdField()


class Account(models.Model):
    """One line of the chart of accounts in one currency."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    code = models.CharField(max_length=10)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value.title()) for kind in AccountKind])
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_account"
        ordering: ClassVar = ["code", "currency"]
        constraints: ClassVar = [
            models.UniqueConstraint("code", "currency", name="ledger_account_code"),
            # What the postings' composite foreign key refers to.
            models.UniqueConstraint(fields=["id", "currency"], name="ledger_account_currency"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in AccountKind]), name="ledger_account_kind_known"
            ),
            models.CheckConstraint(condition=models.Q(currency__regex="^[A-Z]{3}$"), name="ledger_account_iso4217"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name} ({self.currency})"


class Entry(models.Model):
    """One event in the books. `key` makes posting idempotent; `reverses` names the entry that this one takes back."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=60)
    occurred_on = models.DateField()
    description = models.CharField(max_length=300)
    source_type = models.CharField(max_length=60)
    source_id = models.UUIDField()
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    created_at = models.DateTimeField()
    # Postings join an entry only in the transaction that made it.
    created_xid = TransactionIdField(db_default=CurrentTransactionId(), editable=False)

    class Meta:
        db_table = "ledger_entry"
        verbose_name_plural = "entries"
        indexes: ClassVar = [
            models.Index("occurred_on", "id", name="ledger_entry_day"),
            models.Index("source_type", "source_id", name="ledger_entry_source"),
            models.Index("kind", "id", name="ledger_entry_kind"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], name="ledger_entry_key"),
            models.CheckConstraint(condition=~models.Q(reverses=models.F("id")), name="ledger_entry_not_itself"),
        ]

    def __str__(self) -> str:
        return self.key


class Posting(models.Model):
    """One leg of an entry: debit positive, credit negative, in the account's currency."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="postings", db_index=False)
    # The constraint on (account, currency) made in the migration covers this one.
    account = models.ForeignKey(Account, models.PROTECT, related_name="postings", db_constraint=False, db_index=False)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    position = models.SmallIntegerField()

    class Meta:
        db_table = "ledger_posting"
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "position"], name="ledger_posting_position"),
            models.CheckConstraint(condition=~models.Q(amount_minor=0), name="ledger_posting_not_zero"),
            models.CheckConstraint(
                condition=models.Q(amount_minor__range=(-MAX_MINOR, MAX_MINOR)), name="ledger_posting_in_range"
            ),
        ]
        indexes: ClassVar = [
            models.Index("account", "entry", name="ledger_posting_account", include=["amount_minor"]),
        ]

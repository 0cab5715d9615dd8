"""The books of the organisation that an operator looks into; nobody edits them."""

from typing import Any, ClassVar

from django.contrib import admin
from unfold.decorators import display

from apps.core.money import format_minor
from apps.core.read_only import ReadOnlyInline
from apps.ledger.models import Account, Entry, Posting
from apps.tenancy.operator_admin import TenantModelAdmin


class PostingInline(ReadOnlyInline):
    """The legs of an entry."""

    model = Posting
    fields: ClassVar = ["position", "account", "amount"]
    readonly_fields: ClassVar = ["position", "account", "amount"]

    @display(description="amount")
    def amount(self, posting: Posting) -> str:
        """The amount with its currency; credits are negative."""
        return format_minor(posting.amount_minor, posting.currency)


@admin.register(Entry)
class EntryAdmin(TenantModelAdmin):
    """Journal entries with their legs."""

    list_display: ClassVar = ["occurred_on", "kind", "description", "key", "created_at"]
    list_filter: ClassVar = ["kind"]
    search_fields: ClassVar = ["key", "description", "source_id"]
    ordering: ClassVar = ["-id"]
    date_hierarchy = "occurred_on"
    fields: ClassVar = [
        *("key", "kind", "occurred_on", "description"),
        *("source_type", "source_id", "reverses", "created_at"),
    ]
    inlines: ClassVar[list[Any]] = [PostingInline]
    show_full_result_count = False


@admin.register(Account)
class AccountAdmin(TenantModelAdmin):
    """The chart of accounts."""

    list_display: ClassVar = ["code", "name", "kind", "currency"]
    list_filter: ClassVar = ["kind", "currency"]
    search_fields: ClassVar = ["code", "name"]
    ordering: ClassVar = ["code", "currency"]

"""The books over REST; read-only, because only what happens elsewhere posts."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.thin import ThinRead
from apps.core.rest.views import ApiView
from apps.ledger import selectors
from apps.ledger.api.presenters import present_account, present_entry, present_newest, present_trial_balance
from apps.ledger.api.serializers import AccountAnswer, EntryAnswer, TrialBalanceList

_AS_OF = OpenApiParameter("as_of", date, description="Up to and including this day; without it, everything")


class AccountsView(ApiView):
    """The chart of accounts with balances."""

    permissions: ClassVar = {"GET": "ledger:read"}
    listing = Listing(
        AccountAnswer,
        "All accounts; never paged.",
        keys={},
        filters=[_AS_OF, OpenApiParameter("currency", str)],
    )

    @extend_schema(
        operation_id="ledger_accounts_list",
        summary="List accounts with balances",
        tags=["ledger"],
        responses=listing.page,
        examples=[
            OpenApiExample(
                "Receivable",
                {
                    "data": [
                        {
                            "id": "0199c0de-0000-7000-8000-000000000001",
                            "code": "1100",
                            "name": "Accounts receivable",
                            "kind": "ASSET",
                            "currency": "EUR",
                            "debit_minor": 11900,
                            "credit_minor": 0,
                            "balance_minor": 11900,
                        }
                    ],
                    "next_cursor": None,
                    "has_more": False,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Every account, by code and currency."""
        accounts = selectors.list_accounts(
            actor=self.actor, currency=request.query_params.get("currency", ""), as_of=_as_of(request)
        )
        return self.listed_whole(present_account(account) for account in accounts)


class EntriesView(ApiView):
    """Journal entries."""

    permissions: ClassVar = {"GET": "ledger:read"}
    listing = Listing(
        EntryAnswer,
        "A page of entries.",
        keys=selectors.KEYS,
        filters=[
            OpenApiParameter("kind", str, description="For example invoice.finalized"),
            OpenApiParameter("account", str, description="An account's code"),
            OpenApiParameter("currency", str),
            OpenApiParameter("source_type", str),
            OpenApiParameter("source_id", UUID),
            OpenApiParameter("from", date),
            OpenApiParameter("to", date),
        ],
    )

    thin = ThinRead(selectors.NEWEST, present_newest)

    @extend_schema(operation_id="ledger_entries_list", summary="List entries", tags=["ledger"], responses=listing.page)
    def get(self, request: Request) -> Response:
        """A page of entries, newest first unless asked otherwise."""
        page = selectors.list_entries(actor=self.actor, page=self.page_request(), filters=request.query_params.dict())
        return self.listed(page, present_entry)


class EntryView(ApiView):
    """One journal entry."""

    permissions: ClassVar = {"GET": "ledger:read"}

    @extend_schema(
        operation_id="ledger_entries_retrieve", summary="Read an entry", tags=["ledger"], responses=EntryAnswer
    )
    def get(self, request: Request, entry_id: UUID) -> Response:
        """The entry with its legs."""
        return Response(present_entry(selectors.get_entry(actor=self.actor, entry_id=entry_id)))


class TrialBalanceView(ApiView):
    """Debits against credits of all accounts."""

    permissions: ClassVar = {"GET": "ledger:read"}

    @extend_schema(
        operation_id="ledger_trial_balance",
        summary="Read the trial balance",
        tags=["ledger"],
        parameters=[_AS_OF],
        responses=TrialBalanceList,
    )
    def get(self, request: Request) -> Response:
        """One trial balance a currency."""
        as_of = _as_of(request)
        balances = selectors.trial_balance(actor=self.actor, as_of=as_of)
        return Response({"as_of": as_of, "data": [present_trial_balance(balance) for balance in balances]})


def _as_of(request: Request) -> date | None:
    value = request.query_params.get("as_of")
    return selectors.read_day("as_of", value) if value else None

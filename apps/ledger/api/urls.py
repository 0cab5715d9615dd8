"""REST routes of the ledger."""

from django.urls import path

from apps.ledger.api.views import AccountsView, EntriesView, EntryView, TrialBalanceView

urlpatterns = [
    path("ledger/accounts", AccountsView.as_view(), name="ledger-accounts"),
    path("ledger/entries", EntriesView.as_view(), name="ledger-entries"),
    path("ledger/entries/<uuid:entry_id>", EntryView.as_view(), name="ledger-entry"),
    path("ledger/trial-balance", TrialBalanceView.as_view(), name="ledger-trial-balance"),
]

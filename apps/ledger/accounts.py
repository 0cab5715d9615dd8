"""The chart of accounts that every tenant starts with."""

from dataclasses import dataclass
from enum import StrEnum


class AccountKind(StrEnum):
    """What an account counts. Assets and expenses grow on the debit side, the others on the credit side."""

    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    EQUITY = "EQUITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """One line of the chart; each currency in use has an account of its own below it."""

    code: str
    name: str
    kind: AccountKind


BANK = "1000"
RECEIVABLE = "1100"
GATEWAY_CLEARING = "1200"
TAX_PAYABLE = "2200"
CUSTOMER_CREDIT = "2300"
REVENUE = "4000"
PAYMENT_FEES = "5100"
BAD_DEBT = "5200"

CHART: dict[str, ChartAccount] = {
    account.code: account
    for account in (
        ChartAccount(BANK, "Bank", AccountKind.ASSET),
        ChartAccount(RECEIVABLE, "Accounts receivable", AccountKind.ASSET),
        ChartAccount(GATEWAY_CLEARING, "Payment gateway clearing", AccountKind.ASSET),
        ChartAccount(TAX_PAYABLE, "Tax payable", AccountKind.LIABILITY),
        ChartAccount(CUSTOMER_CREDIT, "Customer credit", AccountKind.LIABILITY),
        ChartAccount(REVENUE, "Revenue", AccountKind.INCOME),
        ChartAccount(PAYMENT_FEES, "Payment fees", AccountKind.EXPENSE),
        ChartAccount(BAD_DEBT, "Bad debt", AccountKind.EXPENSE),
    )
}

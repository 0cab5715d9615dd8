"""Who may do what, written down: every API route and every tenant page with the roles that it serves.

Letters: Owner, Admin, aCcountant, Member, Viewer (PRODUCT, "What each role may do"). None: open to everybody.
"""

ROLES = {"O": "OWNER", "A": "ADMIN", "C": "ACCOUNTANT", "M": "MEMBER", "V": "VIEWER"}
EVERYBODY: None = None
ANY, WORK, MONEY, TRUST = "OACMV", "OACM", "OAC", "OA"

API: dict[tuple[str, str], str | None] = {
    ("POST", "signup"): EVERYBODY,
    ("GET", "signup-status"): EVERYBODY,
    ("POST", "discover"): EVERYBODY,
    ("POST", "signin"): EVERYBODY,
    ("POST", "refresh"): EVERYBODY,
    ("POST", "signout"): ANY,
    ("POST", "signout-all"): ANY,
    ("POST", "validate"): ANY,
    ("GET", "me"): ANY,
    ("PATCH", "me"): ANY,
    ("GET", "my-memberships"): ANY,
    ("GET", "tenant"): ANY,
    ("GET", "members"): WORK,
    ("GET", "client-list"): ANY,
    ("POST", "client-list"): WORK,
    ("GET", "client"): ANY,
    ("PATCH", "client"): WORK,
    ("DELETE", "client"): WORK,
    ("GET", "invoice-list"): ANY,
    ("POST", "invoice-list"): WORK,
    ("GET", "invoice"): ANY,
    ("PATCH", "invoice"): WORK,
    ("DELETE", "invoice"): WORK,
    ("POST", "invoice-finalize"): WORK,
    ("POST", "invoice-send"): WORK,
    ("POST", "invoice-duplicate"): WORK,
    ("POST", "invoice-void"): MONEY,
    ("POST", "invoice-uncollectible"): MONEY,
    ("POST", "invoice-pay"): MONEY,
    ("GET", "invoice-payments"): ANY,
    ("POST", "invoice-payments"): MONEY,
    ("GET", "invoice-pdf"): ANY,
    ("GET", "payment-list"): ANY,
    ("GET", "payment-detail"): ANY,
    ("POST", "payment-refunds"): MONEY,
    ("GET", "ledger-accounts"): MONEY,
    ("GET", "ledger-entries"): MONEY,
    ("GET", "ledger-entry"): MONEY,
    ("GET", "ledger-trial-balance"): MONEY,
    ("GET", "notification-list"): ANY,
    ("PATCH", "notification-list"): ANY,
    ("DELETE", "notification-list"): ANY,
    ("GET", "notification-unread-count"): ANY,
    ("PATCH", "notification-detail"): ANY,
    ("DELETE", "notification-detail"): ANY,
    ("GET", "audit-list"): TRUST,
    ("GET", "audit-detail"): TRUST,
}

"""The resources of the API, one file each."""

from __future__ import annotations

from sandbox.stripe.resources import (
    accounts,
    application_fees,
    balance_transactions,
    charges,
    checkout_sessions,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    prices,
    products,
    refunds,
    setup_intents,
    webhook_endpoints,
)

ROUTES = (
    *accounts.ROUTES,
    *balance_transactions.ROUTES,
    *charges.ROUTES,
    *disputes.ROUTES,
    *application_fees.ROUTES,
    *checkout_sessions.ROUTES,
    *customers.ROUTES,
    *events.ROUTES,
    *payment_intents.ROUTES,
    *payment_methods.ROUTES,
    *prices.ROUTES,
    *products.ROUTES,
    *refunds.ROUTES,
    *setup_intents.ROUTES,
    *webhook_endpoints.ROUTES,
)
"""Every endpoint that is served."""

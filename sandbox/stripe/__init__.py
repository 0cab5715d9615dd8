"""A stateful stand-in for the Stripe API: own process, own SQLite file, test keys only."""

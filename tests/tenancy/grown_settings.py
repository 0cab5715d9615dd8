"""The suite's settings with the ledger's migrations grown by a test; for child processes."""

from config.settings.test import *  # noqa: F403

MIGRATION_MODULES = {"ledger": "tests.tenancy.grown"}

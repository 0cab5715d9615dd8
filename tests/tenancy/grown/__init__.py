"""The ledger's migrations and further ones, which a test writes into a directory of its own.

Used as the ledger's ``MIGRATION_MODULES``; a child process finds the directory in GROWN_MIGRATIONS.
"""

import os
from pathlib import Path

OWN = Path(__file__).resolve().parents[3] / "apps/ledger/migrations"
VARIABLE = "GROWN_MIGRATIONS"

__path__ = [str(OWN), *filter(None, [os.environ.get(VARIABLE)])]

"""What every test can ask for. Two tenants exist in every run, so that every leak is observable."""

import os

from tests.fixtures.processes import ASYNC_CHECK

# Playwright keeps an event loop in the main thread once it was started, and Django would then refuse every statement
# of the tests that come after in the same process.
os.environ[ASYNC_CHECK] = "true"

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.tenants",
    "tests.fixtures.clients",
    "tests.fixtures.processes",
    "tests.fixtures.stack",
]

"""What every test can ask for. Two tenants exist in every run, so that every leak is observable."""

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.tenants",
    "tests.fixtures.clients",
    "tests.fixtures.processes",
    "tests.fixtures.stack",
]

"""What every test can ask for. Two tenants exist in every run, so that every leak is observable."""

import gc
import os
from pathlib import Path
from typing import Any

import pytest

# Before everything that has deep chains of imports: pydantic walks through all of them for each of its models, which
# takes seconds deep down.
import scim2_models  # noqa: F401
from django.conf import settings
from django.core.management import call_command
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.scheduler import LoadScopeScheduling

from apps.core.documents.fonts import prepare_fonts
from tests.fixtures.processes import ASYNC_CHECK

# Playwright has an event loop in the main thread while it runs, and Django would refuse every statement beside it.
os.environ[ASYNC_CHECK] = "true"

# A property is about values, never about how busy the machine is.
hypothesis_settings.register_profile("insula", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("insula")

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.hashing",
    "tests.fixtures.tenants",
    "tests.fixtures.replica",
    "tests.fixtures.clients",
    "tests.fixtures.processes",
    "tests.fixtures.stack",
]


# What takes long though it is few tests: begun last, it would keep one process busy while the other has nothing to do.
LONG = (
    "stack",
    "tests/api/test_pages.py",
    "tests/api/test_contract.py",
    "tests/devserver/test_run.py",
    "tests/tenancy/test_migrating_tenants.py",
    "tests/tenancy/test_pool.py",
    "tests/devserver/test_services.py",
    "tests/isolation/test_fuzz.py",
    "tests/sandbox/test_durability.py",
    "tests/sandbox/test_checkout_browser.py",
    "tests/payments/test_crashes.py",
    "tests/iam/test_scim_conformance.py",
    "tests/api/test_bad_bodies.py",
)


class Together(LoadScopeScheduling):
    """A file's tests share a test process; so do all that need the whole product, which then starts once.

    Files go out in the order of `LONG`, then by their number of tests.
    """

    def _assign_work_unit(self, node: Any) -> None:
        if first := next((scope for scope in LONG if scope in self.workqueue), None):
            self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(("tests/flows/", "tests/browser/")) else nodeid.split("::", maxsplit=1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """Distribute over the test processes by `Together`."""
    return Together(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Make catalogues and fonts once, before any test's time runs: a busy machine takes longer than a test may."""
    if not hasattr(session.config, "workerinput"):
        call_command("compile_translations")
        prepare_fonts(Path(settings.FONT_DIR))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is there by now stays to the end; looking through it for garbage again and again takes minutes."""
    gc.collect()
    gc.freeze()

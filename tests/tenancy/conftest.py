"""A database whose tenants are about to be migrated: the ledger gets migrations that a test writes."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tenancy import grown

Grow = Callable[[str, str], None]

_HEAD = """
from django.db import connection, migrations, models

class Migration(migrations.Migration):
    dependencies = [("ledger", "{before}")]
"""


@pytest.fixture
def grow(own_database: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grow]:
    """``grow(name, body)`` gives the ledger one more migration; `body` is its class's, ``operations`` and all."""
    folder = tmp_path / "grown"
    folder.mkdir()
    monkeypatch.setattr(grown, "__path__", [str(grown.OWN), str(folder)])
    monkeypatch.setenv(grown.VARIABLE, str(folder))
    settings.MIGRATION_MODULES = {"ledger": "tests.tenancy.grown"}

    def add(name: str, body: str) -> None:
        names = [path.stem for place in (grown.OWN, folder) for path in place.glob("[0-9]*.py")]
        (folder / f"{name}.py").write_text(_HEAD.format(before=max(names)) + body)

    yield add
    for module in [module for module in sys.modules if module.startswith("tests.tenancy.grown.")]:
        del sys.modules[module]

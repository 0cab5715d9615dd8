"""The sandbox and the product never meet but over HTTP."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.sandbox.process import REPOSITORY


def _imported(source: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def _sources(*folders: str) -> list[Path]:
    return [source for folder in folders for source in sorted((REPOSITORY / folder).rglob("*.py"))]


@pytest.mark.parametrize("source", _sources("sandbox"), ids=lambda source: str(source.relative_to(REPOSITORY)))
def test_the_sandbox_imports_nothing_of_the_product(source: Path) -> None:
    assert not _imported(source) & {"apps", "config", "django", "devserver", "stripe", "djstripe"}


def test_the_product_never_imports_the_sandbox() -> None:
    assert [str(source) for source in _sources("apps", "config") if "sandbox" in _imported(source)] == []

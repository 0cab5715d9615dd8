"""Measurements, printed as one Markdown table at the end. `make bench` runs them; `make test` does not."""

from collections.abc import Callable

import pytest

Measured = Callable[[str, str], None]
_ROWS: list[tuple[str, str]] = []


@pytest.fixture
def measured() -> Measured:
    """``measured(what, figure)`` puts a row into the table."""
    return lambda what, figure: _ROWS.append((what, figure))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if _ROWS:
        terminalreporter.write_line("\n| what | measured |\n|---|---|")
        for what, figure in _ROWS:
            terminalreporter.write_line(f"| {what} | {figure} |")

"""What may not stand in a log line does not, wherever in the line it would stand."""

import logging
from typing import Any

import pytest
import structlog
from django.conf import settings

SECRET = "sk_live_0123456789abcdef"


def _line(record: logging.LogRecord) -> str:
    formatters: Any = settings.LOGGING["formatters"]
    options = {key: value for key, value in formatters["structured"].items() if key != "()"}
    return structlog.stdlib.ProcessorFormatter(**options).format(record)


def _failure(message: str) -> logging.LogRecord:
    try:
        raise RuntimeError(f"refused with {SECRET}")
    except RuntimeError as error:
        trace = (type(error), error, error.__traceback__)
        return logging.LogRecord("django.request", logging.ERROR, __file__, 1, message, None, trace)


@pytest.mark.parametrize("message", ["The call failed", f"The call with {SECRET} failed"])
def test_a_traceback_tells_no_credentials(message: str) -> None:
    line = _line(_failure(message))
    assert "RuntimeError" in line
    assert "sk_live_[redacted]" in line
    assert SECRET not in line


def test_many_beginnings_of_tokens_are_read_once() -> None:
    line = _line(_failure("-eyJaaaaaa" * 20_000))
    assert "eyJ[redacted]" in line
    assert "aaaaaa" not in line


def test_a_traceback_tells_nothing_of_a_row_that_the_database_refused() -> None:
    told = 'null value in column "name"\nDETAIL:  Failing row contains (7, Jane Doe,\n\nHome street 1, null).\n'
    try:
        try:
            raise ValueError(told)
        except ValueError as error:
            raise RuntimeError("the write failed") from error
    except RuntimeError as error:
        record = logging.LogRecord(
            "django.request", logging.ERROR, __file__, 1, "failed", None, (RuntimeError, error, error.__traceback__)
        )
    line = _line(record)
    assert "null value in column" in line and "the write failed" in line
    assert "Jane" not in line and "Home street" not in line

"""Catalogues are complete and keep every placeholder."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parents[2] / "locale"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


@pytest.mark.parametrize("language", ["ar", "de"])
def test_every_message_is_translated_with_its_placeholders(language: str) -> None:
    with (LOCALE / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    assert len(messages) > 400
    assert [message.id for message in messages if message.fuzzy or not all(texts(message))] == []
    assert [message.id for message in messages if not keeps_placeholders(message)] == []


def texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def keeps_placeholders(message: Message) -> bool:
    # A plural form for a fixed number may leave the number out: “one invoice”.
    singular = message.id if isinstance(message.id, str) else message.id[-1]
    wanted = set(PLACEHOLDER.findall(singular))
    is_plural = not isinstance(message.id, str)
    for text in texts(message):
        found = set(PLACEHOLDER.findall(text))
        if found - wanted or (wanted - found and not (is_plural and wanted - found <= {"%(count)s", "%(days)s"})):
            return False
    return True

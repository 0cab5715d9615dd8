"""The mails that a test's work sends, and the tokens in their links."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import unquote

from django.core import mail
from django.core.mail import EmailMessage

RunTasks = Callable[[], AbstractContextManager[None]]


def mails_to(address: str) -> list[EmailMessage]:
    """Everything that went to `address`, the oldest first."""
    return [message for message in mail.outbox if address in message.to]


def token_in(message: EmailMessage) -> str:
    """The token of the link that the mail holds, which its text and its HTML agree on."""
    found = re.search(r"(?:token=|/invitations/)([\w-]{20,})", str(message.body))
    assert found, message.body
    assert found[1] in str(message.alternatives[0][0])  # type: ignore[attr-defined]
    return unquote(found[1])

"""What the process is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

API_VERSION = "2026-08-26.dahlia"

ACCOUNT_ID = "acct_1InsulaSandbox00"
"""The one account behind every test key; stable over restarts, resets and data files."""

APPLICATION_ID = "ca_InsulaSandboxPlatform000000000"
"""The platform's application, by which it acts for connected accounts."""

ACCOUNT_NAME = "Insula Sandbox"
"""The merchant's name on the hosted pages and the account."""


@dataclass(frozen=True)
class Configuration:
    """Settings of one stand-in process.

    `retry_base` is the wait in seconds before the second attempt of a webhook delivery; it doubles with every
    further attempt up to one hour. `delivery_timeout` is how many seconds a receiver may take to answer.
    """

    database: Path
    base_url: str
    retry_base: float = 2.0
    max_attempts: int = 16
    delivery_timeout: float = 10.0

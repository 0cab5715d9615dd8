"""What docs/webhooks.md tells integrators is so."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from apps.webhooks import signing
from apps.webhooks.catalogue import CATALOGUE

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/webhooks.md").read_text()


def test_every_type_is_described() -> None:
    table = DOCUMENT.partition("## Types")[2].partition("\n## ")[0]
    assert set(re.findall(r"`((?:client|invoice|payment|member|webhook)\.[a-z_]+)`", table)) == set(CATALOGUE)


def test_the_example_verifies() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    secrets, body = [signing.new_secret(), signing.new_secret()], b'{"a": 1}'
    headers = signing.headers(secrets, message_id="evt_1", timestamp=int(time.time()), body=body)
    for secret in secrets:
        names["verify"](secret, headers, body)
    with pytest.raises(ValueError, match="not from Insula"):
        names["verify"](signing.new_secret(), headers, body)
    with pytest.raises(ValueError, match="not from Insula"):
        names["verify"](secrets[0], headers, b'{"a": 2}')
    old = signing.headers(secrets, message_id="evt_1", timestamp=int(time.time()) - 301, body=body)
    with pytest.raises(ValueError, match="too old"):
        names["verify"](secrets[0], old, body)

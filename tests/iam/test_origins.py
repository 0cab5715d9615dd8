"""The audited address honours configured proxies only."""

from typing import Any

import pytest

from apps.iam.origins import client_ip


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        ([], "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (["10.0.0.0/8"], "10.1.2.3", "198.51.100.1", "198.51.100.1"),
        (["10.0.0.0/8"], "10.1.2.3", "6.6.6.6, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        (["10.0.0.0/8"], "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (["10.0.0.0/8"], "10.1.2.3", "", "10.1.2.3"),
        (["10.0.0.0/8"], "10.1.2.3", "junk", "10.1.2.3"),
        (["10.0.0.0/8"], "10.1.2.3", "198.51.100.1, junk", "10.1.2.3"),
        (["10.0.0.0/8"], "::ffff:10.1.2.3", "2001:db8::7", "2001:db8::7"),
        (["unix"], "", "198.51.100.1", "198.51.100.1"),
        ([], "", "198.51.100.1", None),
    ],
)
def test_only_trusted_hops_are_believed(
    settings: Any, proxies: list[str], peer: str, forwarded: str, expected: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert client_ip(peer, forwarded) == expected

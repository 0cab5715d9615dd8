"""Stripe's HTTP client, with the ids that tie a call to the request or task that makes it."""

from collections.abc import Mapping
from typing import Any

import stripe

from apps.core import tracing


class TracedClient(stripe.RequestsClient):
    """As the library's own; Stripe ignores headers that it does not know, its stand-in and a proxy log them."""

    def request(  # type: ignore[override]  # as the library itself overrides it
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One attempt of a call."""
        return super().request(method, url, {**(headers or {}), **tracing.outbound_headers()}, post_data)

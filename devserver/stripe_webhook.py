"""Tells the Stripe stand-in where to deliver its events, signed with the product's secret."""

from __future__ import annotations

import time
from collections.abc import Mapping

import httpx

from devserver.errors import StartupError

PATH = "/webhooks/stripe/payments/"
SANDBOX_SECONDS = 30.0


def register_webhook(variables: Mapping[str, str]) -> None:
    """Have exactly one endpoint: ours, on the present port. A port used earlier would be retried for days.

    Raises:
        StartupError: the stand-in does not answer, or refuses.
    """
    url = f"http://{variables['PLATFORM_HOST']}:{variables['PORT']}{PATH}"
    headers = {"Authorization": f"Bearer {variables['STRIPE_SECRET_KEY']}"}
    transport = httpx.HTTPTransport(retries=0)
    with httpx.Client(base_url=variables["STRIPE_API_HOST"], headers=headers, transport=transport) as client:
        _wait_for_health(client)
        try:
            body = {"url": url, "secret": variables["STRIPE_WEBHOOK_SECRET"]}
            client.put("/_sandbox/webhook_endpoints", json=body).raise_for_status()
            listed = client.get("/v1/webhook_endpoints", params={"limit": 100}).raise_for_status().json()
            for endpoint in listed["data"]:
                if endpoint["url"] != url and endpoint["url"].endswith(PATH):
                    client.delete(f"/v1/webhook_endpoints/{endpoint['id']}").raise_for_status()
        except httpx.HTTPError as error:
            raise StartupError(f"The Stripe stand-in did not take the webhook's address: {error}") from error


def _wait_for_health(client: httpx.Client) -> None:
    deadline = time.monotonic() + SANDBOX_SECONDS
    while True:
        try:
            client.get("/_sandbox/health").raise_for_status()
        except httpx.HTTPError as error:
            if time.monotonic() > deadline:
                raise StartupError(f"The Stripe stand-in does not answer: {error}") from error
            time.sleep(0.05)
        else:
            return

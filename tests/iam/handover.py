"""Signing in and following a handover between hosts as a browser does."""

from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from tests.factories.iam import PASSWORD


def credentials(email: str = "owner@acme.test", **more: str) -> dict[str, str]:
    """What a person types into the form of signing in."""
    return {"email": email, "password": PASSWORD, **more}


def land(start: str, *clients: Client) -> Any:
    """Follow a handover from host to host, each with the client that is at home there; the answer that signs in."""
    at_home = {client.defaults["SERVER_NAME"]: client for client in clients}
    for _ in range(3):
        place = urlsplit(start)
        answer = at_home[str(place.hostname)].get(f"{place.path}?{place.query}")
        start = answer["Location"]
        if not urlsplit(start).netloc:
            return answer
    raise AssertionError(start)

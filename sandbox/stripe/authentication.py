"""API keys: any test key opens the sandbox, no live key does.

Source: https://docs.stripe.com/keys.
"""

from __future__ import annotations

import re

from werkzeug.wrappers import Request

from sandbox.stripe.errors import Forbidden, Unauthorized

_TEST_KEY = re.compile(r"(sk|rk)_test_[A-Za-z0-9_]{24,240}")


def authenticate(request: Request) -> None:
    """Check the key of the request, sent as bearer token or as the user name of basic authentication.

    Raises: Unauthorized without a usable key; Forbidden for live and publishable keys. Keys are never repeated.
    """
    credentials = request.authorization
    key = None
    if credentials is not None:
        key = credentials.token if credentials.type == "bearer" else credentials.username
    if not key:
        raise Unauthorized(
            "You did not provide an API key. Send it in the Authorization header with Bearer auth:"
            " 'Authorization: Bearer YOUR_SECRET_KEY'."
        )
    if re.match(r"(sk|rk|pk)_live_", key):
        raise Forbidden(
            "This is a sandbox and a live key was sent to it. It was neither used nor kept; if this machine should not"
            " have had it, roll it.",
            code="livemode_mismatch",
        )
    if key.startswith("pk_"):
        raise Forbidden(
            "This API call cannot be made with a publishable API key. Use a secret API key.",
            code="secret_key_required",
        )
    if _TEST_KEY.fullmatch(key) is None:
        raise Unauthorized(
            "Invalid API Key provided: a key such as sk_test_ and at least 24 letters or digits is needed."
        )

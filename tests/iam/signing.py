"""Signs requests as the documentation tells clients to: with nothing but a hash, a MAC or a signature."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any

Sign = Callable[[bytes], bytes]
COVERED = ("@method", "@target-uri", "content-type", "content-digest")


def with_secret(secret: str) -> Sign:
    """HMAC-SHA256 with the text of the secret."""
    return lambda base: hmac.digest(secret.encode(), base, "sha256")


def signed(
    sign: Sign,
    key_id: str,
    method: str,
    url: str,
    body: bytes = b"",
    *,
    covered: tuple[str, ...] = COVERED,
    without: tuple[str, ...] = (),
    **changed: Any,
) -> dict[str, str]:
    """The headers of a signed request. `without`: parameters left out; `changed`: parameters with other values."""
    now = int(time.time())
    headers = {"content-type": "application/json"}
    if body:
        headers["content-digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    names = [name for name in covered if name.startswith("@") or name in headers]
    path, _, query = url.removeprefix("http://localhost").partition("?")
    derived = {"@method": method, "@target-uri": url, "@authority": "localhost", "@path": path, "@query": f"?{query}"}
    facts: dict[str, Any] = {"created": now, "expires": now + 60, "nonce": secrets.token_urlsafe(18), "keyid": key_id}
    facts = {name: value for name, value in {**facts, **changed}.items() if name not in without}
    said = [f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}" for name, value in facts.items()]
    listed = " ".join(f'"{name}"' for name in names)
    parameters = ";".join([f"({listed})", *said])
    lines = [f'"{name}": {derived.get(name) or headers[name]}' for name in names]
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    headers["signature-input"] = f"insula={parameters}"
    headers["signature"] = f"insula=:{base64.b64encode(sign(base.encode())).decode()}:"
    return headers

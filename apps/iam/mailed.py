"""Tokens that travel by mail, made anew from their row's id when the mail is: no table and no log holds them."""

import base64
import hmac
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from apps.core import ids

_PURPOSE = b"apps.iam.mailed"


def token_of(kind: str, row_id: UUID, generation: int = 0) -> str:
    """The 256-bit token of a row: a MAC under the installation's secret key, so nobody can tell it from the id."""
    key = hmac.digest(settings.SECRET_KEY.encode(), _PURPOSE, "sha256")
    mac = hmac.new(key, f"{kind}:{row_id}:{generation}".encode(), sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def digest_of(kind: str, row_id: UUID, generation: int = 0) -> str:
    """What the row keeps of it."""
    return ids.token_digest(token_of(kind, row_id, generation))


def platform_link(name: str, token: str) -> str:
    """The address of the platform's page `name` (``iam:password-reset``) with `token`."""
    return f"{settings.PLATFORM_URL}{reverse(name, urlconf=settings.ROOT_URLCONF)}?token={token}"

"""The way to the provider and back: begun by one browser, good once, with PKCE, state and nonce (RFC 7636)."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from apps.core import ids, sealing
from apps.core.clock import utcnow
from apps.core.tenants import public_scope
from apps.iam.sso.errors import SsoStale
from apps.iam.sso.models import SsoAttempt, SsoConnection
from apps.iam.sso.providers import Provider
from apps.tenancy.selectors import TenantView

LIFETIME = timedelta(minutes=10)
SCOPE = "openid email profile"
LONGEST_STATE = 200

_REDEEM = """
UPDATE public.iam_sso_attempt SET used_at = %(now)s
 WHERE state_digest = %(state)s AND browser_digest = %(browser)s AND tenant_id = %(tenant)s
   AND used_at IS NULL AND expires_at > %(now)s
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the secret that it keeps until it is back."""

    url: str
    browser_secret: str


@dataclass(frozen=True, slots=True)
class Returned:
    """An attempt whose browser is back; it cannot come back a second time."""

    nonce: str
    verifier: str
    issuer: str
    next_path: str


def redirect_uri(tenant: TenantView) -> str:
    """Where the provider sends browsers back to; administrators register it there."""
    return f"{tenant.home_url}{reverse('iam:sso-callback', urlconf=settings.TENANT_URLCONF)}"


def begin(
    *,
    tenant: TenantView,
    row: SsoConnection,
    provider: Provider,
    browser_secret: str = "",
    next_path: str = "/",
    login_hint: str = "",
    now: datetime | None = None,
) -> Begun:
    """Write an attempt for a browser; several tabs of one browser share its secret."""
    moment, state, verifier = now or utcnow(), ids.secret_token(), ids.secret_token()
    browser_secret = browser_secret or ids.secret_token()
    attempt = SsoAttempt(
        tenant_id=tenant.id,
        state_digest=ids.token_digest(state),
        browser_digest=ids.token_digest(browser_secret),
        nonce=ids.secret_token(),
        issuer=provider.issuer,
        next_path=next_path[:500],
        expires_at=moment + LIFETIME,
    )
    attempt.verifier = sealing.seal(verifier, purpose=sealing.purpose_of(attempt, "verifier"))
    with public_scope(), transaction.atomic():
        attempt.save(force_insert=True)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": row.client_id,
        "redirect_uri": redirect_uri(tenant),
        "scope": SCOPE,
        "state": state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"login_hint": login_hint} if login_hint else {}),
    }
    joint = "&" if "?" in provider.authorization_endpoint else "?"
    return Begun(f"{provider.authorization_endpoint}{joint}{urlencode(query)}", browser_secret)


def redeem(*, state: str, browser_secret: str, tenant_id: UUID, now: datetime | None = None) -> Returned:
    """Take an attempt by its state and its browser's secret.

    Raises:
        SsoStale: unknown, used, expired, another tenant's, or begun in another browser: nobody can tell which.
    """
    values: dict[str, Any] = {
        "now": now or utcnow(),
        "state": ids.token_digest(state[:LONGEST_STATE]),
        "browser": ids.token_digest(browser_secret),
        "tenant": tenant_id,
    }
    with public_scope(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_REDEEM, values)
            taken = cursor.fetchone()
        if taken is None:
            raise SsoStale
        attempt = SsoAttempt.objects.get(pk=taken[0])
    verifier = sealing.unseal(attempt.verifier, purpose=sealing.purpose_of(attempt, "verifier"))
    return Returned(attempt.nonce, verifier, attempt.issuer, attempt.next_path)


def purge(*, now: datetime) -> int:
    """Delete what has expired, in the caller's transaction; returns how many."""
    return SsoAttempt.objects.filter(expires_at__lt=now).delete()[0]

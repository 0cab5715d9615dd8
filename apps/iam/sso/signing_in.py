"""Signing in by a tenant's own provider: to it, and back with a code that is turned into who somebody is."""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

import structlog
from django.db import transaction

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import fetching
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.core.errors import DomainError, NotFound
from apps.core.fetching import FetchFailed
from apps.core.tenants import assert_no_transaction, public_scope
from apps.iam import entering
from apps.iam.identity import Identity
from apps.iam.models import Channel
from apps.iam.proofs import FEDERATED, STRONG
from apps.iam.sso import attempts, connections, id_tokens, patience, people, providers
from apps.iam.sso.attempts import Begun, Returned
from apps.iam.sso.errors import ProviderFailed, SsoRefused
from apps.iam.sso.id_tokens import Assertion
from apps.iam.sso.models import SsoConnection
from apps.iam.sso.providers import Provider
from apps.tenancy.selectors import TenantView

logger = structlog.get_logger(__name__)

LONGEST_CODE = 4096


def begin(*, tenant: TenantView, browser_secret: str = "", next_path: str = "/", login_hint: str = "") -> Begun:
    """Where the browser goes to sign in. Talks to the provider: no transaction may be open.

    Raises:
        NotFound: the tenant has no provider, or it is switched off.
        ProviderFailed: it does not answer as it should.
    """
    assert_no_transaction("Asking an identity provider")
    row = _enabled(tenant)
    return attempts.begin(
        tenant=tenant,
        row=row,
        provider=providers.discover(row.issuer),
        browser_secret=browser_secret,
        next_path=next_path,
        login_hint=login_hint,
    )


def finish(*, tenant: TenantView, browser_secret: str, answer: dict[str, str], origin: Origin) -> tuple[Identity, str]:
    """Who came back from the provider, signed in to the tenant, and the path to go to.

    `answer` holds the parameters ``state``, ``code``, ``error`` and ``iss``. Talks to the provider: no transaction
    may be open. A refusal is audited.

    Raises:
        SsoStale: see `attempts.redeem`.
        NotFound: the provider was taken away or switched off in between.
        ProviderFailed: its answer does not hold; `reason` says why.
        SsoRefused, PlanLimitReached: see `people.admit`.
        InvalidCredentials: he was switched off this moment.
    """
    assert_no_transaction("Asking an identity provider")
    returned = attempts.redeem(state=answer.get("state", ""), browser_secret=browser_secret, tenant_id=tenant.id)
    row, said = _enabled(tenant), None
    try:
        said = _assertion(tenant, row, returned, answer)
        with public_scope(), transaction.atomic():
            user = people.admit(tenant=tenant, row=row, said=said, origin=origin)
            # The provider vouches for its second factor as it does for the first; it reaches this tenant alone.
            methods = (FEDERATED, STRONG) if STRONG in _methods(said) else (FEDERATED,)
            return entering.start(user, tenant, Channel.BROWSER, origin, methods=methods), returned.next_path
    except DomainError as error:
        _record_refusal(tenant, row, said, error, origin)
        raise


def _assertion(tenant: TenantView, row: SsoConnection, returned: Returned, answer: dict[str, str]) -> Assertion:
    provider = providers.discover(row.issuer)
    # Mix-up: the answer must come from the provider that was asked (RFC 9207), which is still the tenant's.
    if returned.issuer != provider.issuer:
        raise ProviderFailed(reason="other_issuer")
    if (answer.get("iss") or provider.names_issuer) and answer.get("iss") != provider.issuer:
        raise ProviderFailed(reason="other_issuer")
    if error := answer.get("error"):
        if error in ("access_denied", "login_required", "interaction_required", "consent_required"):
            raise SsoRefused(reason="denied")
        raise ProviderFailed(reason="refused_request")
    code = answer.get("code", "")
    if not 0 < len(code) <= LONGEST_CODE:
        raise ProviderFailed(reason="no_code")
    tokens = _redeem_code(tenant, row, provider, code, returned.verifier)
    access_token = tokens.get("access_token")
    access_token = access_token if isinstance(access_token, str) else ""
    claims = id_tokens.read(
        str(tokens.get("id_token") or ""),
        provider=provider,
        client_id=row.client_id,
        nonce=returned.nonce,
        access_token=access_token,
        now=utcnow().timestamp(),
    )
    if not claims.get("email") and provider.userinfo_endpoint and access_token:
        claims = {**_userinfo(provider, access_token, claims["sub"]), **claims}
    return id_tokens.assertion(provider, claims)


def _redeem_code(
    tenant: TenantView, row: SsoConnection, provider: Provider, code: str, verifier: str
) -> dict[str, Any]:
    secret = connections.secret_of(row)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": attempts.redirect_uri(tenant),
        "code_verifier": verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if provider.posts_secret:
        form |= {"client_id": row.client_id, "client_secret": secret}
    else:
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        pair = f"{quote(row.client_id, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return _asked("POST", provider.token_endpoint, headers, urlencode(form).encode(), "refused_code")


def _userinfo(provider: Provider, access_token: str, subject: str) -> dict[str, Any]:
    said = _asked("GET", provider.userinfo_endpoint, {"Authorization": f"Bearer {access_token}"}, None, "no_userinfo")
    # OIDC Core, 5.3.2: an answer about somebody else is not used.
    if said.get("sub") != subject:
        raise ProviderFailed(reason="other_subject")
    return said


def _asked(method: str, url: str, headers: dict[str, str], content: bytes | None, reason: str) -> dict[str, Any]:
    # Only silence counts as a failure of the address: what it says to one tenant's secret is nobody else's affair.
    with patience.asking(url):
        try:
            answer = fetching.fetch(
                method, url, headers=headers, content=content, total_seconds=patience.ANSWER_SECONDS
            )
        except FetchFailed as error:
            raise ProviderFailed(reason="no_answer") from error
    try:
        body = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError) as error:
        raise ProviderFailed(reason="no_answer") from error
    if not isinstance(body, dict):
        raise ProviderFailed(reason=reason)
    return body


def _methods(said: Assertion) -> list[Any]:
    told = said.claims.get("amr")
    return told if isinstance(told, list) else []


def _enabled(tenant: TenantView) -> SsoConnection:
    with public_scope():
        row = SsoConnection.objects.filter(tenant_id=tenant.id, is_enabled=True).first()
    if row is None:
        raise NotFound
    return row


def _record_refusal(
    tenant: TenantView, row: SsoConnection, said: Assertion | None, error: DomainError, origin: Origin
) -> None:
    reason = str(error.extra.get("reason", error.code))
    logger.warning("sso.refused", tenant=tenant.key, reason=reason)
    with public_scope(), transaction.atomic():
        audit.record(
            actor=Actor(ActorKind.USER, email=said.email if said else "", is_federated=True, origin=origin),
            action="iam.sso.refuse",
            entity_type="sso_connection",
            entity_id=row.id,
            entity_label=row.name,
            after={"reason": reason, "subject": said.subject if said else "", "issuer": row.issuer},
            severity=Severity.MEDIUM,
            tenant_id=tenant.id,
        )

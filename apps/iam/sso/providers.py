"""What a provider says of itself (OpenID Connect Discovery 1.0) and the keys that it signs with.

Both are kept in the cache; keys are asked for again when a token names one that is not known, at most once a minute
for a connection, so that a rotated key is learnt at once and forged key ids cost the provider nothing.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from django.core.cache import cache
from jwt import PyJWK

from apps.core import fetching, ids
from apps.core.fetching import FetchFailed
from apps.iam.sso import patience
from apps.iam.sso.errors import ProviderFailed

# Signatures that nobody can make who only verifies them (RFC 8725, 3.1); the keys must be strong enough, too.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
METADATA_SECONDS, KEYS_SECONDS, RELEARN_SECONDS = 3600, 3600, 60
LONGEST_URL, MOST_KEYS = 2000, 50


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider's addresses. `names_issuer`: it repeats its issuer in every answer (RFC 9207)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    posts_secret: bool = False
    names_issuer: bool = False


def discover(issuer: str, *, fresh: bool = False) -> Provider:
    """The provider behind an issuer. Talks to the outside unless it was asked within the hour, or has just failed.

    Raises:
        ProviderFailed: it does not answer, names another issuer, or lacks what the code flow needs.
    """
    key = _key("metadata", issuer)
    if not fresh and (known := cache.get(key)):
        return Provider(**known)
    url = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
    with patience.asking(url, now=fresh):
        found = _provider(issuer, _get_json(url))
    cache.set(key, asdict(found), METADATA_SECONDS)
    return found


def signing_key(provider: Provider, kid: str | None, algorithm: str) -> PyJWK:
    """The provider's public key that a token's header means.

    Raises:
        ProviderFailed: there is none, also after its keys were read anew.
    """
    key = _key("keys", provider.jwks_uri)
    known = cache.get(key)
    if known is not None and (found := _pick(known, kid, algorithm)):
        return found
    # Whoever invents key ids must not make us ask the provider each time.
    if known is None or cache.add(f"{key}:relearnt", 1, RELEARN_SECONDS):
        known = read_keys(provider)
    found = _pick(known, kid, algorithm)
    if found is None:
        raise ProviderFailed(reason="unknown_key")
    return found


def read_keys(provider: Provider, *, fresh: bool = False) -> list[dict[str, Any]]:
    """The provider's key set, as it is now; `fresh` asks also right after it failed.

    Raises:
        ProviderFailed: it does not answer with one.
    """
    with patience.asking(provider.jwks_uri, now=fresh):
        keys = _get_json(provider.jwks_uri).get("keys")
        if not isinstance(keys, list) or not keys:
            raise ProviderFailed(reason="no_keys")
    usable = [key for key in keys[:MOST_KEYS] if isinstance(key, dict) and key.get("use", "sig") == "sig"]
    cache.set(_key("keys", provider.jwks_uri), usable, KEYS_SECONDS)
    return usable


def _pick(keys: list[dict[str, Any]], kid: str | None, algorithm: str) -> PyJWK | None:
    fitting = [key for key in keys if key.get("alg", algorithm) == algorithm and (kid is None or key.get("kid") == kid)]
    if kid is None and len(fitting) != 1:
        return None
    for key in fitting:
        # A shared secret in a public key set would let everybody sign.
        if key.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        try:
            return PyJWK(key, algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
    return None


def _provider(issuer: str, said: dict[str, Any]) -> Provider:
    # Discovery, 4.3: the issuer in the document is exactly the one that was asked, or somebody else answers for it.
    if said.get("issuer") != issuer:
        raise ProviderFailed(reason="other_issuer")
    if "code" not in _words(said, "response_types_supported", ["code"]):
        raise ProviderFailed(reason="no_code_flow")
    signs = _words(said, "id_token_signing_alg_values_supported", ["RS256"])
    if not set(signs) & set(ALGORITHMS):
        raise ProviderFailed(reason="weak_signatures")
    methods = _words(said, "token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if not {"client_secret_basic", "client_secret_post"} & set(methods):
        raise ProviderFailed(reason="no_client_secret")
    return Provider(
        issuer=issuer,
        authorization_endpoint=_address(said, "authorization_endpoint"),
        token_endpoint=_address(said, "token_endpoint"),
        jwks_uri=_address(said, "jwks_uri"),
        userinfo_endpoint=_address(said, "userinfo_endpoint", is_needed=False),
        end_session_endpoint=_address(said, "end_session_endpoint", is_needed=False),
        posts_secret="client_secret_basic" not in methods,
        names_issuer=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(said: dict[str, Any], name: str, *, is_needed: bool = True) -> str:
    value = said.get(name)
    if value is None and not is_needed:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_URL or urlsplit(value).fragment:
        raise ProviderFailed(reason=f"no_{name}")
    try:
        fetching.require_public_form(value)
    except FetchFailed as error:
        raise ProviderFailed(reason=f"no_{name}") from error
    return value


def _words(said: dict[str, Any], name: str, default: list[str]) -> list[str]:
    value = said.get(name, default)
    return [str(word) for word in value] if isinstance(value, list) else default


def _get_json(url: str) -> dict[str, Any]:
    try:
        answer = fetching.fetch("GET", url, total_seconds=patience.ANSWER_SECONDS)
        if answer.status != 200:
            raise ProviderFailed(reason="no_answer")
        body = json.loads(answer.body)
    except FetchFailed as error:
        raise ProviderFailed(reason="no_answer") from error
    except (ValueError, RecursionError) as error:
        raise ProviderFailed(reason="no_json") from error
    if not isinstance(body, dict):
        raise ProviderFailed(reason="no_json")
    return body


def _key(kind: str, what: str) -> str:
    return f"iam:sso:{kind}:{ids.token_digest(what)}"

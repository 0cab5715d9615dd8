"""Providers that lie, answers that were stolen, keys that change: nobody comes in by any of it."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core.cache import cache
from django.test import Client

from apps.core.clock import utcnow
from apps.iam.models import TokenFamily
from apps.iam.sso import connections, patience, providers
from apps.iam.sso.models import SsoAttempt
from tests.fixtures.tenants import actor_of
from tests.iam import federated, idp
from tests.iam.federated import reason
from tests.iam.idp import Idp


def claims(**values: Any) -> Callable[[Idp], None]:
    return lambda provider: provider.claims.update(values)


def turn(**values: Any) -> Callable[[Idp], None]:
    return lambda provider: [setattr(provider, name, value) for name, value in values.items()] and None


LIES: list[tuple[Callable[[Idp], None], str]] = [
    (claims(nonce="another"), "wrong_nonce"),
    (claims(nonce=None), "wrong_nonce"),
    (claims(aud="another"), "wrong_audience"),
    (claims(aud=[idp.CLIENT_ID, "another"]), "wrong_party"),
    (claims(azp="another"), "wrong_party"),
    (claims(iss="https://evil.example"), "wrong_issuer"),
    (claims(exp=1), "expired_token"),
    (claims(exp=None), "missing_claim"),
    (claims(iat=1), "old_token"),
    (claims(iat=-(10**400)), "old_token"),
    (claims(nbf=4_000_000_000), "early_token"),
    (claims(at_hash="another"), "wrong_access_token"),
    (claims(sub=None), "missing_claim"),
    (claims(sub="x" * 256), "wrong_subject"),
    (turn(algorithm="none"), "refused_algorithm"),
    (turn(algorithm="HS256"), "refused_algorithm"),
    (turn(algorithm="RS512"), "unknown_key"),
    (turn(signs_with="forged"), "wrong_signature"),
    (turn(kid="unpublished"), "unknown_key"),
    (turn(answer={"iss": "https://evil.example"}), "other_issuer"),
    (turn(answer={"iss": ""}), "other_issuer"),
    (turn(answer={"code": "guessed"}), "refused_code"),
    (turn(answer={"code": ""}), "no_code"),
    (turn(answer={"error": "access_denied"}), "denied"),
    (turn(answer={"error": "server_error"}), "refused_request"),
]


def test_a_lie_lets_nobody_in(acme, provider, visitor):
    person = dict(provider.person)
    for lie, told in LIES:
        provider.be_truthful()
        provider.person.update(person)
        lie(provider)
        assert reason(federated.go(visitor)) == told
    assert not TokenFamily.objects.filter(tenant_id=acme.id, methods=["fed"]).exists()


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"issuer": "https://evil.example"}, "other_issuer"),
        ({"token_endpoint": None}, "no_token_endpoint"),
        ({"jwks_uri": "file:///etc/passwd"}, "no_jwks_uri"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "weak_signatures"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "no_client_secret"),
    ],
)
def test_a_description_that_cannot_be_used(acme, provider, visitor, metadata, told):
    provider.metadata = metadata
    assert reason(visitor.get("/sign-in/sso/")) == told


def test_an_answer_comes_back_once(acme, provider, visitor):
    there = visitor.get("/sign-in/sso/")
    home = urlsplit(httpx.get(there["Location"]).headers["location"])
    assert visitor.get(f"{home.path}?{home.query}").status_code == 302
    assert reason(visitor.get(f"{home.path}?{home.query}")) == "sso_stale"


def test_an_answer_is_worthless_in_another_browser(acme, provider, visitor):
    location = visitor.get("/sign-in/sso/")["Location"]
    victim = Client(SERVER_NAME=acme.host)
    assert reason(federated.back(victim, location)) == "sso_stale"
    victim.get("/sign-in/sso/")
    assert reason(federated.back(victim, location)) == "sso_stale"


def test_a_code_of_another_attempt_does_not_fit(acme, provider, visitor):
    stolen = httpx.get(visitor.get("/sign-in/sso/")["Location"]).headers["location"]
    provider.answer = {"code": parse_qs(urlsplit(stolen).query)["code"][0]}
    assert reason(federated.go(visitor)) == "refused_code"


def test_an_attempt_expires(acme, provider, visitor):
    location = visitor.get("/sign-in/sso/")["Location"]
    SsoAttempt.objects.update(expires_at=utcnow() - timedelta(seconds=1))
    assert reason(federated.back(visitor, location)) == "sso_stale"


def test_a_rotated_key_is_learnt_at_once_and_invented_ones_cost_nothing(acme, provider, visitor):
    assert federated.go(visitor).status_code == 302
    provider.published, provider.kid = ["first", "second"], "second"
    assert federated.go(visitor).status_code == 302
    provider.requests.clear()
    provider.kid = "invented"
    for _ in range(3):
        assert reason(federated.go(visitor)) == "unknown_key"
    assert provider.requests.count("/keys") == 0


def test_a_failing_provider_is_asked_now_and_then(acme, provider, visitor):
    asked, provider.metadata = "/.well-known/openid-configuration", {"issuer": "https://evil.example"}
    provider.requests.clear()
    pages = [visitor.get("/sign-in/sso/") for _ in range(3)]
    assert [reason(page) for page in pages] == ["other_issuer", "no_answer", "no_answer"]
    assert provider.requests.count(asked) == 1

    breaker = patience.breaker_of(f"{provider.issuer}{asked}")
    cache.set(breaker._key("opened"), time.time() - patience.RETRY_SECONDS)
    assert [reason(visitor.get("/sign-in/sso/")) for _ in range(2)] == ["other_issuer", "no_answer"]
    assert provider.requests.count(asked) == 2
    provider.metadata = {}
    connections.test_connection(actor=actor_of(acme))
    assert visitor.get("/sign-in/sso/").status_code == 302


def test_a_silent_provider_is_not_waited_for_again(acme, provider, visitor, settings):
    location = visitor.get("/sign-in/sso/")["Location"]
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    assert reason(federated.back(visitor, location)) == "no_answer"
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    provider.requests.clear()
    page = federated.go(visitor)
    assert (reason(page), provider.requests.count("/token")) == ("no_answer", 0)
    assert "does not answer at the moment" in page.content.decode()


def test_a_shared_secret_among_the_keys_is_not_used(provider):
    known = [{"kty": "oct", "kid": "k", "k": "c2VjcmV0"}]
    assert providers._pick(known, "k", "RS256") is None


def test_private_addresses_are_not_asked(acme, provider, visitor, settings):
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    provider.requests.clear()
    assert reason(visitor.get("/sign-in/sso/")) == "no_answer"
    assert provider.requests == []

"""Signatures as Standard Webhooks wants them, seen by its own verifier."""

import base64
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from apps.core.clock import utcnow
from apps.core.tenants import tenant_transaction
from apps.tenancy.selectors import TenantView
from apps.webhooks import endpoint_secrets, services, signing
from apps.webhooks.models import EndpointSecret
from tests.factories.webhooks import make_endpoint, stored
from tests.fixtures.tenants import actor_of, in_tenant


def test_the_published_vector() -> None:
    made = signing.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_long_enough_and_never_the_same() -> None:
    made = [signing.new_secret() for _ in range(3)]
    assert len(set(made)) == 3
    assert all(text.startswith("whsec_") and len(base64.b64decode(text[6:])) >= 24 for text in made)


@given(body=st.text(max_size=200).map(str.encode), secrets=st.integers(1, 4))
def test_the_verifier_takes_every_secret_that_signed_and_no_other(body: bytes, secrets: int) -> None:
    signed_by = [signing.new_secret() for _ in range(secrets)]
    headers = signing.headers(signed_by, message_id="evt_1", timestamp=int(time.time()), body=body)
    for secret in signed_by:
        Webhook(secret).verify(body, headers, json_parse=False)
    for wrong_body, wrong in ((body, signing.new_secret()), (body + b" ", signed_by[0])):
        with pytest.raises(WebhookVerificationError):
            Webhook(wrong).verify(wrong_body, headers, json_parse=False)


def test_a_secret_is_shown_once_and_sealed_at_rest(acme: TenantView) -> None:
    made = make_endpoint(acme)
    assert made.secret not in repr(made)
    with in_tenant(acme):
        row = EndpointSecret.objects.get(endpoint_id=made.endpoint.id)
        assert made.secret not in row.sealed_secret and made.endpoint.secret_hint == made.secret[-4:] == row.hint
        assert endpoint_secrets.signing_secrets(made.endpoint.id, now=utcnow()) == [made.secret]


def test_a_former_secret_signs_along_until_its_end(acme: TenantView) -> None:
    made, now = make_endpoint(acme), utcnow()
    endpoint_id = made.endpoint.id
    with in_tenant(acme):
        new = services.rotate_secret(actor=actor_of(acme), endpoint_id=endpoint_id, now=now)
        assert new.former_until == now + timedelta(days=1) == new.endpoint.former_secret_until
        assert endpoint_secrets.signing_secrets(endpoint_id, now=now) == [new.secret, made.secret]
        later = now + timedelta(days=1)
        assert endpoint_secrets.signing_secrets(endpoint_id, now=later) == [new.secret]
        # A leak: whatever signed before is worthless at once.
        services.rotate_secret(actor=actor_of(acme), endpoint_id=endpoint_id, now=later)
        assert len(endpoint_secrets.signing_secrets(endpoint_id, now=later)) == 2
        newest = services.rotate_secret(actor=actor_of(acme), endpoint_id=endpoint_id, overlap=timedelta(0), now=later)
        assert newest.former_until is None and newest.endpoint.former_secret_until is None
        assert endpoint_secrets.signing_secrets(endpoint_id, now=later) == [newest.secret]


def test_however_often_a_secret_is_changed_few_sign(acme: TenantView) -> None:
    endpoint_id, now = make_endpoint(acme).endpoint.id, utcnow()
    for minutes in range(8):
        with tenant_transaction(acme.scope):
            at = now + timedelta(minutes=minutes)
            last = services.rotate_secret(actor=actor_of(acme), endpoint_id=endpoint_id, now=at)
    with in_tenant(acme):
        signing_now = endpoint_secrets.signing_secrets(endpoint_id, now=now + timedelta(minutes=8))
    assert len(signing_now) == endpoint_secrets.MOST_AT_ONCE and signing_now[0] == last.secret
    assert stored(acme, endpoint_id).is_enabled

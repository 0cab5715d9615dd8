"""Signing keys change over by the clock: published, signing, retired; no request is refused meanwhile."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from itertools import cycle
from threading import Event
from typing import Any

import jwt
import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from apps.core.actor import Actor, ActorKind, system
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, PermissionRefused
from apps.iam import keys, signing
from apps.iam.keys import Keys, _ring_of, key_ring
from apps.iam.signing import KeyState
from apps.iam.signing_models import SigningKey
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import NewTenant


@pytest.fixture(autouse=True)
def _anew(settings: Any) -> Iterator[None]:
    settings.SIGNING_KEYS_RELOAD_SECONDS = 15
    keys.keys.forget()
    yield
    keys.keys.forget()


def _states(moment: Any) -> list[KeyState]:
    return [key.state for key in signing.list_signing_keys(now=moment)]


def _kids(client: Any = None) -> list[str]:
    body = (client or Client(SERVER_NAME=configured.PLATFORM_HOST)).get("/.well-known/jwks.json").json()
    return [key["kid"] for key in body["keys"]]


def test_a_key_is_published_signs_and_retires(acme: TenantView, api: ApiFor) -> None:
    now, first = utcnow(), key_ring().kid
    made = signing.rotate_signing_key(actor=system(), lead=timedelta(minutes=10), now=now)
    ring = Keys()

    assert (ring.ring(now).kid, sorted(ring.ring(now).public)) == (first, sorted([first, made.kid]))
    assert sorted(_kids()) == sorted([first, made.kid])
    assert _states(now) == [KeyState.PUBLISHED, KeyState.SIGNING]
    later = now + timedelta(minutes=10)
    assert (ring.ring(later).kid, len(ring.ring(later).public)) == (made.kid, 2)
    assert _states(later) == [KeyState.SIGNING, KeyState.VERIFYING]
    # A token of the last moment before lives a quarter of an hour, and clocks differ.
    end = later + timedelta(seconds=configured.ACCESS_TOKEN_SECONDS)
    assert first in ring.ring(end).public
    over = end + timedelta(minutes=2)
    assert list(ring.ring(over).public) == [made.kid]
    assert _states(over) == [KeyState.SIGNING, KeyState.RETIRED]

    second = signing.rotate_signing_key(actor=system(), now=over)
    third_at = over + timedelta(hours=2)
    signing.rotate_signing_key(actor=system(), now=third_at)
    rows = {row.kid: row for row in SigningKey.objects.all()}
    assert len(rows) == 4
    assert (rows[made.kid].private_sealed, rows[second.kid].private_sealed == "") == ("", False)
    assert not [row for row in rows.values() if "PRIVATE" in row.private_sealed]


def test_rotations_do_not_overtake_each_other(acme: TenantView) -> None:
    signing.rotate_signing_key(actor=system(), lead=timedelta(minutes=10))
    with pytest.raises(IllegalState):
        signing.rotate_signing_key(actor=system())
    with pytest.raises(PermissionRefused):
        signing.rotate_signing_key(actor=Actor(ActorKind.OPERATOR, permissions=frozenset({"platform:read"})))


def test_a_leaked_key_verifies_nothing_any_more(acme: TenantView, api: ApiFor, settings: Any) -> None:
    settings.SIGNING_KEYS_RELOAD_SECONDS = 0
    client, leaked = api(acme), key_ring().kid
    with pytest.raises(CommandError):
        call_command("rotate_signing_key", withdraw=leaked)
    now = utcnow()
    signing.rotate_signing_key(actor=system(), lead=timedelta(0), now=now)
    out = StringIO()
    call_command("rotate_signing_key", withdraw=leaked, stdout=out)

    assert "WITHDRAWN" in out.getvalue()
    assert leaked not in _kids()
    assert client.get("/api/v1/me").status_code == 401
    assert api(acme).get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("is_published", [True, False])
def test_a_leaked_key_is_replaced_at_once(acme: TenantView, api: ApiFor, is_published: bool) -> None:
    """Also while its successor still waits for everybody to read it."""
    client, leaked = api(acme), key_ring().kid
    made = signing.rotate_signing_key(actor=system()).kid if is_published else ""
    call_command("rotate_signing_key", leaked=leaked, stdout=StringIO())

    ring = key_ring()
    assert list(ring.public) == [ring.kid] != [leaked]
    assert made in ("", ring.kid)
    assert client.get("/api/v1/me").status_code == 401
    assert api(acme).get("/api/v1/me").status_code == 200
    # A server whose clock is half a minute behind has a key to sign with, too.
    assert _ring_of(SigningKey.objects.order_by("signs_from"), utcnow() - timedelta(seconds=30)).kid == ring.kid


def test_operators_withdraw_a_leaked_key(acme: TenantView, platform: Client) -> None:
    row = SigningKey.objects.get(kid=signing.rotate_signing_key(actor=system()).kid)
    platform.post("/admin/login/", {"username": operator(), "password": PASSWORD})
    path = f"/admin/iam/signingkey/{row.pk}/leaked/"

    assert row.kid in platform.get(path).content.decode()
    platform.post(path)
    row.refresh_from_db()
    assert row.withdrawn_at is not None


def test_what_was_verified_holds_no_longer_than_its_key(acme: TenantView, api: ApiFor, settings: Any) -> None:
    """Also where a process learnt of the key from the token itself, between two looks at the same other keys."""
    settings.SIGNING_KEYS_RELOAD_SECONDS = 0
    signing.rotate_signing_key(actor=system(), lead=timedelta(0), now=utcnow() - timedelta(seconds=1))
    client, leaked = api(acme), key_ring().kid
    settings.SIGNING_KEYS_RELOAD_SECONDS = 600
    keys.keys._rows = tuple(SigningKey.objects.exclude(kid=leaked))
    keys.keys._read_at -= 2
    assert client.get("/api/v1/me").status_code == 200

    signing.withdraw_signing_key(actor=system(), kid=leaked)
    assert leaked not in key_ring().public
    assert client.get("/api/v1/me").status_code == 401


def test_a_key_that_leaked_before_it_signed_is_withdrawn(acme: TenantView, settings: Any) -> None:
    """Its predecessor is the settings' own, and goes on; the settings' list of other keys brings nothing back."""
    first = key_ring().kid
    made = signing.rotate_signing_key(actor=system(), lead=timedelta(minutes=10))
    settings.JWT_EXTRA_PUBLIC_KEYS = [SigningKey.objects.get(kid=made.kid).public_pem]
    signing.withdraw_signing_key(actor=system(), kid=made.kid)

    ring = key_ring()
    assert (ring.kid, list(ring.public)) == (first, [first])
    assert signing.rotate_signing_key(actor=system()).state == KeyState.PUBLISHED


def test_another_process_learns_of_a_key_from_a_token(acme: TenantView) -> None:
    other, now = Keys(), utcnow()
    assert len(other.ring(now).public) == 1
    made = signing.rotate_signing_key(actor=system(), now=now)
    other._read_at -= 2
    assert made.kid in other.ring(now, unknown=made.kid).public


def test_no_request_is_refused_while_keys_rotate(committed: NewTenant, anonymous_api: APIClient, settings: Any) -> None:
    """Threads refresh, which signs, and ask with every token that they have, which verifies, through two rotations."""
    tenant = committed("Keyhouse")
    settings.SIGNING_KEYS_RELOAD_SECONDS, first = 0.02, key_ring().kid
    done, asked = Event(), [0, 0, 0]

    def work(number: int) -> list[str]:
        client, refused, tokens = APIClient(SERVER_NAME="localhost"), [], []
        email = f"{('owner', 'admin', 'member')[number]}@{tenant.slug}.test"
        body = {"email": email, "password": PASSWORD, "tenant": tenant.key}
        pair = client.post("/api/v1/auth/signin", body, format="json").json()
        try:
            for step in cycle(range(4)):
                if step == 0:
                    answer = client.post("/api/v1/auth/refresh", {"refresh": pair["refresh"]}, format="json")
                    if answer.status_code != 200:
                        return [*refused, f"refresh {answer.content!r}"]
                    pair = answer.json()
                    tokens.append(pair["access"])
                access = tokens[asked[number] % len(tokens)]
                answer = client.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {access}")
                asked[number] += 1
                if answer.status_code != 200:
                    refused.append(f"{jwt.get_unverified_header(access)['kid']} {answer.content!r}")
                if done.is_set() and asked[number] > 30:
                    return refused
        finally:
            connections.close_all()
        return refused

    try:
        with ThreadPoolExecutor(3) as pool:
            running = [pool.submit(work, number) for number in range(3)]
            made = []
            for _ in range(2):
                made.append(signing.rotate_signing_key(actor=system(), lead=timedelta(milliseconds=300)))
                _until(lambda kid=made[-1].kid: key_ring().kid == kid, running)
            _until(lambda: min(asked) > 30, running)
            done.set()
            assert [refusal for future in running for refusal in future.result()] == []
        assert key_ring().kid == made[-1].kid
        assert set(_kids()) == {first, *(key.kid for key in made)}
    finally:
        done.set()
        SigningKey.objects.all().delete()


def _until(holds: Any, running: list[Any]) -> None:
    end = utcnow() + timedelta(seconds=60)
    while not holds():
        assert utcnow() < end
        assert not any(future.done() for future in running), [future.result() for future in running if future.done()]


def test_the_admin_shows_keys_and_rotates_by_a_confirmed_action(acme: TenantView) -> None:
    admin, support = Client(SERVER_NAME=configured.PLATFORM_HOST), Client(SERVER_NAME=configured.PLATFORM_HOST)
    admin.post("/admin/login/", {"username": operator(), "password": PASSWORD})
    support.post("/admin/login/", {"username": operator("PLATFORM_SUPPORT"), "password": PASSWORD})

    assert "Rotate" in admin.get("/admin/iam/signingkey/").content.decode()
    support.post("/admin/iam/signingkey/rotate/")
    assert not SigningKey.objects.exists()
    assert "Publish a new key" in admin.get("/admin/iam/signingkey/rotate/").content.decode()
    assert not SigningKey.objects.exists()
    admin.post("/admin/iam/signingkey/rotate/")
    page = admin.get("/admin/iam/signingkey/").content.decode()
    assert SigningKey.objects.count() == 2
    assert "Published, signs later" in page and "PRIVATE KEY" not in page
    row = SigningKey.objects.latest("signs_from")
    assert row.private_sealed not in admin.get(f"/admin/iam/signingkey/{row.pk}/change/").content.decode()

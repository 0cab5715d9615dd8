"""A call that is under way when a person's sign-ins end, or when he gets a second factor, does not get past that."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections, transaction

from apps.core import ids
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.tenants import public_scope
from apps.iam import api_keys, authenticators, exchanging, factors, renewing, selectors, services, signins, totp
from apps.iam.errors import InvalidToken, MfaRequired
from apps.iam.models import Channel, TokenFamily, User
from apps.iam.proofs import Proof
from apps.tenancy.selectors import TenantView
from tests.fixtures.locks import wait_for_somebody_blocked
from tests.fixtures.tenants import PASSWORD, NewTenant, actor_of

SECRET = "the-browsers-secret"


@contextmanager
def under_way(user: User, call: Callable[[], Any]) -> Iterator[Future[Any]]:
    """The body runs, and commits, while `call` has come as far as it can without the person's row."""

    def run(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool, public_scope(), transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        future = pool.submit(run, call)
        # Within this transaction the server tells the same of others all along.
        pool.submit(run, lambda: wait_for_somebody_blocked("iam_user")).result()
        yield future


def _owner(tenant: TenantView) -> User:
    return User.objects.get(email=f"owner@{tenant.slug}.test")


def _sign_in(tenant: TenantView) -> signins.TokenPair:
    return services.sign_in(email=_owner(tenant).email, password=PASSWORD, tenant=tenant.key, origin=Origin())


def _handoff(tenant: TenantView, proof: Proof) -> str:
    browser = ids.token_digest(SECRET)
    return services.hand_off(user_id=_owner(tenant).pk, tenant=tenant.key, browser=browser, proof=proof)[1]


def _redeem(tenant: TenantView, token: str) -> Any:
    return services.redeem_handoff(token=token, browser_secret=SECRET, tenant_id=tenant.id, origin=Origin())


def _set_up(tenant: TenantView, user: User) -> None:
    actor = selectors.actor_for_member(user.pk, tenant.id, Origin())
    assert actor is not None
    seed = authenticators.begin(actor=actor).seed
    authenticators.confirm(actor=actor, family_id=None, code=totp.code_at(seed, totp.step_at(utcnow())))


def test_a_password_alone_does_not_outrun_a_new_second_factor(committed: NewTenant) -> None:
    tenant = committed("Outrun")
    user, weak = _owner(tenant), Proof.given(("pwd",), utcnow())
    token = _handoff(tenant, weak)

    with under_way(user, lambda: _sign_in(tenant)) as sign_in:
        _set_up(tenant, user)

    with pytest.raises(MfaRequired):
        sign_in.result()
    with pytest.raises(InvalidToken):
        _redeem(tenant, token)
    vouched_for_and_own = signins.start_family(user, tenant.id, Channel.API, Origin(), methods=("fed", "pwd"))
    found = signins.identity_of_family(vouched_for_and_own.pk, Origin())
    assert found is not None
    access = signins.issue_pair(found, now=utcnow()).access
    with pytest.raises(MfaRequired):
        exchanging.exchange_token(subject_token=access, audience=tenant.key, origin=Origin())
    assert not TokenFamily.objects.filter(user=user, revoked_at=None).exclude(pk=vouched_for_and_own.pk).exists()


@pytest.mark.parametrize("way", ["exchange", "hand off", "redeem", "make a key", "set up an app", "renew codes"])
def test_what_ended_goes_on_nowhere_else(way: str, committed: NewTenant) -> None:
    tenant = committed("Ended")
    user, pair = _owner(tenant), _sign_in(tenant)
    here, proof = pair.identity, Proof.given(("pwd",), utcnow())
    token, actor = _handoff(tenant, proof), actor_of(tenant)
    code = totp.code_at(authenticators.begin(actor=actor).seed, totp.step_at(utcnow()))
    ways: dict[str, Callable[[], Any]] = {
        "exchange": lambda: exchanging.exchange_token(subject_token=pair.access, audience=tenant.key, origin=Origin()),
        "hand off": lambda: services.hand_off(
            user_id=user.pk, tenant=tenant.key, browser="-", proof=proof, family_id=here.family_id
        ),
        "redeem": lambda: _redeem(tenant, token),
        "make a key": lambda: api_keys.create_api_key(
            actor=actor, family_id=here.family_id, name="Left behind", scopes=["invoices:read"]
        ),
        "set up an app": lambda: authenticators.confirm(actor=actor, family_id=here.family_id, code=code),
        "renew codes": lambda: renewing.renew_recovery_codes(actor=actor, family_id=here.family_id),
    }

    with under_way(user, ways[way]) as call:
        signins.end_all(user, "signout_all", now=utcnow())

    with pytest.raises(InvalidToken):
        call.result()
    assert not TokenFamily.objects.filter(user=user, revoked_at=None).exists()
    assert not factors.has_any(user.pk)

"""A call that is under way when a person's sign-ins end, or when he gets a second factor, does not get past that."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connections, transaction

from apps.core import ids
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.errors import PermissionRefused, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import api_keys, authenticators, exchanging, factors, renewing, selectors, services, signins, totp
from apps.iam.api_key_models import ApiKey
from apps.iam.errors import InvalidCredentials, InvalidToken, MfaRequired
from apps.iam.identity import Identity
from apps.iam.models import Channel, TokenFamily, User
from apps.iam.proofs import Proof
from apps.iam.scim import tokens as scim_tokens
from apps.iam.scim.models import ScimToken
from apps.tenancy.selectors import TenantView
from tests.fixtures.locks import wait_for_somebody_blocked
from tests.fixtures.tenants import PASSWORD, NewTenant, actor_of

SECRET, NEW_PASSWORD = "the-browsers-secret", "Another-pass-9"


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
        pool.submit(run, wait_for_somebody_blocked).result()
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


def _change_password(here: Identity) -> None:
    services.change_password(
        actor=here.actor, family_id=here.family_id, current_password=PASSWORD, new_password=NEW_PASSWORD
    )


def _set_up(tenant: TenantView, user: User) -> str:
    """The app's code of the next step."""
    actor = selectors.actor_for_member(user.pk, tenant.id, Origin())
    assert actor is not None
    seed, step = authenticators.begin(actor=actor).seed, totp.step_at(utcnow())
    authenticators.confirm(actor=actor, family_id=None, code=totp.code_at(seed, step))
    return totp.code_at(seed, step + 1)


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


def test_a_factor_that_is_removed_meanwhile_lets_nobody_in(committed: NewTenant) -> None:
    tenant = committed("Lost app")
    user = _owner(tenant)

    def in_browser(_code: str) -> Any:
        proof = Proof.given(("pwd", "otp", "mfa"), utcnow())
        return services.enter_by_browser(user_id=user.pk, tenant_id=tenant.id, proof=proof, origin=Origin())

    def by_program(code: str) -> Any:
        return services.sign_in(email=user.email, password=PASSWORD, tenant=tenant.key, origin=Origin(), otp=code)

    for way, refusal in ((in_browser, InvalidToken), (by_program, InvalidCredentials)):
        with under_way(user, partial(way, _set_up(tenant, user))) as call:
            authenticators.remove(actor=actor_of(tenant), family_id=None)
        assert isinstance(call.exception(), refusal)
    assert not TokenFamily.objects.filter(user=user, revoked_at=None).exists()


def test_a_key_that_makes_another_waits_for_who_ends_them(committed: NewTenant) -> None:
    tenant = committed("Keys end")
    user, scopes = _owner(tenant), ["api_keys:write", "invoices:read"]
    made = api_keys.create_api_key(actor=actor_of(tenant), name="Maker", scopes=scopes)
    by_key = replace(actor_of(tenant), api_key_id=made.key.pk)

    with under_way(user, lambda: api_keys.create_api_key(actor=by_key, name="Late", scopes=scopes[1:])) as call:
        assert api_keys.revoke_everywhere(user_id=user.pk, reason="temporary_password") == 1

    assert isinstance(call.exception(), PermissionRefused)
    assert not ApiKey.objects.filter(user=user, revoked_at=None).exists()


def _ways(tenant: TenantView) -> dict[str, Callable[[], Any]]:
    """What a fresh sign-in of the owner could leave behind."""
    pair, proof = _sign_in(tenant), Proof.given(("pwd",), utcnow())
    here, actor, token = pair.identity, actor_of(tenant), _handoff(tenant, proof)
    family_id, code = here.family_id, totp.code_at(authenticators.begin(actor=actor).seed, totp.step_at(utcnow()))
    return {
        "exchange": lambda: exchanging.exchange_token(subject_token=pair.access, audience=tenant.key, origin=Origin()),
        "hand off": lambda: services.hand_off(
            user_id=_owner(tenant).pk, tenant=tenant.key, browser="-", proof=proof, family_id=family_id
        ),
        "redeem": lambda: _redeem(tenant, token),
        "key": lambda: api_keys.create_api_key(
            actor=actor, family_id=family_id, name="Left behind", scopes=["invoices:read"]
        ),
        "directory": lambda: scim_tokens.create_token(actor=actor, family_id=family_id, name="Left behind"),
        "password": lambda: _change_password(here),
        "app": lambda: authenticators.confirm(actor=actor, family_id=family_id, code=code),
        "recovery codes": lambda: renewing.renew_recovery_codes(actor=actor, family_id=family_id),
    }


def test_what_ended_goes_on_nowhere_else(committed: NewTenant) -> None:
    tenant = committed("Ended")
    user = _owner(tenant)
    for way in _ways(tenant):
        with under_way(user, _ways(tenant)[way]) as call:
            signins.end_all(user, "signout_all", now=utcnow())
        assert isinstance(call.exception(), InvalidToken), way
    assert not TokenFamily.objects.filter(user=user, revoked_at=None).exists()
    assert not factors.has_any(user.pk)
    assert not ApiKey.objects.filter(user=user).exists() and not ScimToken.objects.filter(tenant_id=tenant.id).exists()
    assert not User.objects.get(pk=user.pk).check_password(NEW_PASSWORD)


def test_a_password_that_was_replaced_meanwhile_sets_no_other(committed: NewTenant) -> None:
    tenant = committed("Replaced")
    user, here = _owner(tenant), _sign_in(tenant).identity

    with under_way(user, lambda: _change_password(here)) as call:
        User.objects.filter(pk=user.pk).update(password=make_password("The-owners-own-1"))

    with pytest.raises(ValidationFailed):
        call.result()
    assert User.objects.get(pk=user.pk).check_password("The-owners-own-1")

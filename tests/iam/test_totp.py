"""Codes of authenticator apps follow RFC 6238 and are good once."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from apps.core.clock import utcnow
from apps.core.tenants import public_scope
from apps.iam import authenticators, recovery_codes, totp
from apps.iam.factor_models import AuthenticatorApp, RecoveryCode
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import NewTenant
from tests.iam.second_factors import enrolled
from tests.iam.threads import at_once

# RFC 6238, appendix B: the seed is the ASCII text 12345678901234567890.
RFC_SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


@pytest.mark.parametrize(("moment", "code"), RFC_CODES.items())
def test_codes_are_those_of_the_rfc(moment: int, code: str) -> None:
    step = totp.step_at(datetime.fromtimestamp(moment, UTC))

    assert totp.code_at(RFC_SEED, step, digits=8) == code


@pytest.mark.parametrize(("off", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(off: int, is_taken: bool) -> None:
    now = utcnow()
    code = totp.code_at(RFC_SEED, totp.step_at(now) + off)

    assert (totp.matching_step(RFC_SEED, code, now=now, after=0) is not None) is is_taken


@pytest.mark.parametrize("rubbish", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\x00"])
def test_rubbish_is_no_code(rubbish: str) -> None:
    assert totp.matching_step(RFC_SEED, rubbish, now=utcnow(), after=0) is None


def test_a_code_is_good_once_and_no_earlier_one_after_it(acme: TenantView) -> None:
    who, now = enrolled(acme), utcnow()

    assert authenticators.spend(who.id, who.code(1), now=now)
    assert not authenticators.spend(who.id, who.code(1), now=now)
    assert not authenticators.spend(who.id, who.code(0), now=now)


def test_what_the_database_holds_opens_nothing(acme: TenantView) -> None:
    who = enrolled(acme)

    assert who.seed not in AuthenticatorApp.objects.get(user_id=who.id).seed
    kept = "".join(RecoveryCode.objects.filter(user_id=who.id).values_list("digest", flat=True))
    assert not any(code in kept for code in who.recovery_codes)


def test_a_recovery_code_is_good_once_however_it_is_typed(acme: TenantView) -> None:
    who, now = enrolled(acme), utcnow()
    code = who.recovery_codes[3]

    assert len(set(who.recovery_codes)) == 10
    assert recovery_codes.spend(who.id, f" {code.upper().replace('-', ' ')} ", now=now)
    assert not recovery_codes.spend(who.id, code, now=now)
    assert recovery_codes.left(who.id) == 9
    assert not recovery_codes.spend(enrolled(acme).id, who.recovery_codes[0], now=now)


def test_of_sixteen_with_one_code_one_gets_through(committed: NewTenant) -> None:
    who, now = enrolled(committed("Codehouse")), utcnow()
    code, recovery = who.code(), who.recovery_codes[0]

    def spend(number: int) -> tuple[bool, bool]:
        with public_scope(), transaction.atomic():
            return authenticators.spend(who.id, code, now=now), recovery_codes.spend(who.id, recovery, now=now)

    results = at_once(16, spend)

    assert [sum(taken) for taken in zip(*results, strict=True)] == [1, 1]

"""Password policy and hashing."""

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.core.exceptions import ValidationError
from django.db import ProgrammingError, transaction

from apps.core.actor import Origin
from apps.core.errors import ValidationFailed
from apps.iam import credentials, selectors
from apps.iam.credentials import check_new_password
from apps.iam.models import User
from apps.iam.passwords import CharacterPolicy
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import PASSWORD, in_tenant


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("Sh0rt", "password_too_short"),
        ("Aa1" + "x" * 126, "password_too_long"),
        ("ALL-UPPER-1", "password_no_lower"),
        ("all-lower-1", "password_no_upper"),
        ("No-digit-here", "password_no_digit"),
        ("Password1", "password_too_common"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, code: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        check_new_password(password)

    assert code in {error.code for error in caught.value.errors}


@pytest.mark.parametrize("password", ["Insula-test-1", "Aa1" + "x" * 125, "Пароль-Длинный1", "Aa1     x"])
def test_a_good_password_passes(password: str) -> None:
    check_new_password(password)


def test_the_policy_can_be_loosened() -> None:
    policy = CharacterPolicy(upper=False)

    policy.validate("lower-case-1")
    with pytest.raises(ValidationError):
        policy.validate("lower-case")


def test_new_hashes_are_argon2id_with_the_chosen_cost(product_hashing: None) -> None:
    hashed = make_password("Insula-test-1")

    assert hashed.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_what_is_hashed_anew_at_sign_in_undoes_no_change(acme: TenantView) -> None:
    user = User.objects.get(email=f"owner@{acme.slug}.test")
    user.password = make_password(PASSWORD, hasher="bcrypt")
    User.objects.filter(pk=user.pk).update(password=make_password("The-owners-own-1"))

    assert credentials._is_right(user, PASSWORD)  # as it was when the sign-in began
    assert User.objects.get(pk=user.pk).check_password("The-owners-own-1")


@pytest.mark.parametrize("algorithm", ["bcrypt_sha256", "bcrypt"])
def test_bcrypt_hashes_still_verify_and_are_replaced(acme: TenantView, algorithm: str) -> None:
    user = User.objects.get(email="member@acme.test")
    user.password = make_password(PASSWORD, hasher=algorithm)
    user.save()

    assert credentials.verify(email=user.email, password=PASSWORD, origin=Origin()) == user
    user.refresh_from_db()
    assert identify_hasher(user.password).algorithm == "argon2"


def test_a_tenants_role_reads_people_without_their_passwords(acme: TenantView) -> None:
    with in_tenant(acme):
        assert {row.user.email for row in selectors._members()} >= {"owner@acme.test", "viewer@acme.test"}
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            list(User.objects.values_list("password", flat=True))

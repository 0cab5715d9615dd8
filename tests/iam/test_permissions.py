"""The roles' matrix, written out a second time by hand (PRODUCT, what each role may do)."""

import pytest

from apps.iam.permissions import ALL, ROLE_PERMISSIONS, permissions_of, roles_with

MATRIX = """
dashboard:read O A C M V
clients:read O A C M V
invoices:read O A C M V
recurring:read O A C M V
payments:read O A C M V
clients:write O A C M
invoices:write O A C M
recurring:write O A C M
invoices:void O A C
payments:write O A C
payments:refund O A C
ledger:read O A C
reports:read O A C
ledger:close O C
billing:read O A C
billing:write O
members:read O A C M
members:write O A
roles:write O A
sso:write O A
scim:write O A
settings:write O A
brands:write O A
api_keys:write O A
webhooks:write O A
audit:read O A
audit:export O A
tenant:suspend O
tenant:delete O
tenant:export O
ownership:transfer O
"""
LETTERS = {"O": "OWNER", "A": "ADMIN", "C": "ACCOUNTANT", "M": "MEMBER", "V": "VIEWER"}
ROWS = {line.split()[0]: {LETTERS[letter] for letter in line.split()[1:]} for line in MATRIX.split("\n") if line}


def test_the_matrix_names_every_permission() -> None:
    assert set(ROWS) == ALL


@pytest.mark.parametrize("permission", sorted(ROWS))
def test_each_permission_belongs_to_exactly_its_roles(permission: str) -> None:
    assert roles_with(permission) == ROWS[permission]


def test_roles_add_up_and_unknown_roles_allow_nothing() -> None:
    assert permissions_of(["MEMBER", "NOBODY"]) == ROLE_PERMISSIONS["MEMBER"]
    assert permissions_of(["VIEWER", "OWNER"]) == ROLE_PERMISSIONS["OWNER"]
    assert permissions_of([]) == frozenset()

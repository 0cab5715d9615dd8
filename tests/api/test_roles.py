"""Each role on each route of the API gets what the matrix says, and nothing else."""

from typing import Any

import pytest

from apps.core.tenants import current_scope
from apps.tenancy.selectors import TenantView
from tests.api import matrix
from tests.api.problem import problem
from tests.api.routes import CALLS, PROTECTED
from tests.fixtures.clients import ApiFor

# They end the token that the others use.
ENDS_THE_TOKEN = {"signout", "signout-all"}


# They close the workspace to what comes after them; whether its state allows them is no matter of the role.
CHANGES_THE_STATE = {"tenant-retry-provisioning", "tenant-suspend", "tenant-reactivate"}


# New recovery codes stand in for a second factor, which nobody here has.
WANTS_A_FACTOR = {"my-recovery-codes"}


def _how_late(method: str, route: Any) -> int:
    if (method, route.name) == ("DELETE", "tenant"):
        return 3
    if route.name in CHANGES_THE_STATE:
        return 2
    return int(route.name in ENDS_THE_TOKEN)


def test_the_matrix_names_every_route_and_no_other() -> None:
    assert {(method, route.name) for method, route in CALLS} == matrix.API.keys()


@pytest.mark.parametrize(("letter", "role"), matrix.ROLES.items())
def test_each_route(acme: TenantView, api: ApiFor, letter: str, role: str) -> None:
    client = api(acme, role)
    for method, route in sorted(CALLS, key=lambda call: _how_late(*call)):
        allowed = matrix.API[method, route.name]
        # Whoever left cannot come back for the rest: tests/iam has the leaving.
        if allowed is matrix.EVERYBODY or route.name == "my-membership":
            continue
        if _how_late(method, route):
            client = api(acme, role)
        answer = client.generic(method, route.path(), "{}", content_type="application/json")
        if letter in allowed:
            fitting = (409,) if route.name in CHANGES_THE_STATE | WANTS_A_FACTOR else ()
            assert answer.status_code in (200, 201, 202, 204, 400, 404, *fitting), (
                f"{role} {method} {route.name}: {answer.content!r}"
            )
        else:
            assert problem(answer, 403)["code"] == "permission_refused"


def test_without_a_token(acme: TenantView, anonymous_api: Any) -> None:
    for route in PROTECTED:
        for method in route.methods:
            answer = anonymous_api.generic(method, route.path(), "{}", content_type="application/json")
            problem(answer, 401)
            assert answer["WWW-Authenticate"].startswith("Bearer")


def test_on_another_tenants_host(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    client = api(acme)
    for route in PROTECTED:
        for method in route.methods:
            answer = client.generic(method, route.path(), "{}", SERVER_NAME=globex.host)
            assert problem(answer, 403)["code"] == "tenant_mismatch"
    assert current_scope().id is None

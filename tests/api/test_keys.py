"""What an API key that holds every scope still may not: what is a person's own."""

from apps.tenancy.selectors import TenantView
from tests.api import matrix
from tests.api.problem import problem
from tests.api.routes import CALLS
from tests.iam.keys import made, program


def test_a_key_that_may_all_still_is_no_person(acme: TenantView) -> None:
    robot = program(made(acme).secret)
    open_to_keys = {("GET", "me"), ("GET", "tenant"), ("POST", "validate")}
    for method, route in CALLS:
        allowed = matrix.API[method, route.name]
        if allowed != matrix.ANY or (method, route.name) in open_to_keys:
            continue
        answer = robot.generic(method, route.path(), "{}", content_type="application/json")
        if answer.status_code == 403:
            assert answer.json()["code"] == "not_for_api_keys", route.name
        else:  # the matrix's ANY also names what every role has a permission for
            assert answer.status_code in (200, 201, 400, 404), f"{method} {route.name}"
    for method, path in (("POST", "/auth/signout-all"), ("POST", "/auth/password/change"), ("PATCH", "/me")):
        answer = robot.generic(method, f"/api/v1{path}", "{}", content_type="application/json")
        assert problem(answer, 403)["code"] == "not_for_api_keys"

"""A body means the same to everybody who reads it (RFC 8259, 4; I-JSON, RFC 7493), or it is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.core.rest import parsing
from apps.iam.scim import tokens as scim_tokens
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem, send
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import actor_of

MISREAD = {
    "a name twice": ('{"name": "A", "name": "B"}', '"name" stands more than once'),
    "a name twice in different spellings": (r'{"name": "A", "n\u0061me": "B"}', '"name" stands more than once'),
    "the same value twice": ('{"name": "A", "name": "A"}', "more than once"),
    "below": ('{"name": "A", "address": {"city": "X", "city": "Y"}}', '"city" stands more than once'),
    "in a list": ('{"lines": [{"a": [{"b": 1, "b": 2}]}]}', '"b" stands more than once'),
    "an empty name twice": ('{"": 1, "": 2}', '"" stands more than once'),
    "a long name twice": (f'{{"{"n" * 5000}": 1, "{"n" * 5000}": 2}}', "more than once"),
    "no number": ('{"name": NaN}', "NaN is no number"),
    "without end": ('{"name": [-Infinity]}', "-Infinity is no number"),
    "a double that overflows": ('{"name": 1e400}', "1e400 is larger"),
    "a negative one": ('{"name": -1.5E+309}', "larger than programs can hold"),
    "digits": (f'{{"name": {"9" * 310}}}', "309 digits"),
    "more digits than are read": (f'{{"name": -{"9" * 100_000}}}', "309 digits"),
    "half a pair": (r'{"name": "\ud800"}', "half of a surrogate pair"),
    "half a pair as a name": (r'{"\udfff": 1}', "half of a surrogate pair"),
    "half a pair as a name twice": (r'{"\udfff": 1, "\udfff": 1}', "more than once"),
    "a byte order mark": ("\ufeff{}", "not JSON"),
    "two values": ("{} {}", "not JSON"),
    "nothing": (" ", "not JSON"),
}


def test_what_programs_read_differently_is_refused(program: APIClient) -> None:
    for case, (text, told) in MISREAD.items():
        refused = problem(send(program, "POST", "/api/v1/clients", text), 400)
        assert (refused["code"], told in refused["detail"]) == ("malformed_body", True), (case, refused)
        assert len(refused["detail"]) < 300, case
    refused = problem(send(program, "POST", "/api/v1/clients", b'{"name": "\xff"}'), 400)
    assert (refused["code"], "byte 10" in refused["detail"]) == ("malformed_body", True)


def test_the_same_name_in_different_objects_is_fine() -> None:
    assert parsing.read(b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}') == {"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}
    assert parsing.read(b"[1e308, 0.1, -0, 1e-999, 9007199254740993]") == [1e308, 0.1, 0, 0.0, 9007199254740993]


def test_a_token_request_names_each_parameter_once(anonymous_api: APIClient) -> None:
    form = "grant_type=x&audience=acme&audience=globex"
    answer = anonymous_api.generic("POST", "/api/v1/auth/token", form, content_type="application/x-www-form-urlencoded")
    assert "audience" in problem(answer, 400)["detail"]


def test_a_directorys_bodies_too(acme: TenantView, api: ApiFor) -> None:
    _token, secret = scim_tokens.create_token(actor=actor_of(acme), name="Directory")
    client = APIClient(SERVER_NAME=acme.host, headers={"Authorization": f"Bearer {secret}"})
    text = '{"userName": "a@acme.test", "userName": "b@acme.test"}'
    answer = client.generic("POST", "/scim/v2/Users", text, content_type="application/scim+json")
    assert (answer.status_code, json.loads(answer.content)["scimType"]) == (400, "invalidSyntax")


_words = st.text(st.characters(exclude_categories=["Cs"]))
_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _words,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(_words, below),
    max_leaves=20,
)


@settings(max_examples=30)
@given(_values)
def test_what_is_written_is_read(value: Any) -> None:
    assert parsing.read(json.dumps(value).encode()) == value


@pytest.fixture
def program(acme: TenantView, api: ApiFor) -> APIClient:
    return api(acme)

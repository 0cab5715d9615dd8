"""Bodies are read as they are sent: what says that it is compressed is refused before anybody reads it."""

import gzip

import pytest

from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.fixtures.clients import ApiFor

SENT = b'{"name": "Coded Ltd", "email": "ap@coded.test"}'


# Without the time, which would name the test differently in each test process.
ZIPPED = gzip.compress(SENT, mtime=0)


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", ZIPPED), ("GZIP", SENT), ("br, identity", SENT), ("nobodys", SENT)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_compressed_body_is_refused(acme: TenantView, api: ApiFor, coding: str, body: bytes) -> None:
    headers = {"Content-Encoding": coding}
    told = api(acme).generic("POST", "/api/v1/clients", body, content_type="application/json", headers=headers)
    assert problem(told, 415)["code"] == "unsupported_content_coding"
    assert told["Accept-Encoding"] == "identity"


def test_identity_is_no_coding(acme: TenantView, api: ApiFor) -> None:
    headers = {"Content-Encoding": "Identity"}
    assert api(acme).post("/api/v1/clients", SENT, content_type="application/json", headers=headers).status_code == 201

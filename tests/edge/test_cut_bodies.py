"""A body that does not arrive whole changes nothing, and belongs to no key."""

import json
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.http import UnreadablePostError
from django.test import RequestFactory
from rest_framework.test import APIClient

from apps.edge.models import IdempotencyKey
from apps.edge.requests import Utf8Request
from apps.invoices.models import Client
from apps.tenancy.selectors import TenantView
from config.wsgi import application
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import in_tenant

SENT = json.dumps({"name": "Cut Ltd", "email": "ap@cut.test"}).encode()
FORM = "application/x-www-form-urlencoded"


def received(body: bytes, announced: int, **given: str) -> Utf8Request:
    factory: Any = RequestFactory(SERVER_NAME="localhost")
    environ = factory._base_environ(REQUEST_METHOD="POST", CONTENT_LENGTH=str(announced), **given)
    return Utf8Request({**environ, "wsgi.input": BytesIO(body)})


def answer(program: APIClient, body: bytes, **given: str) -> Any:
    """As the web process reads it: Django's client makes requests of its own."""
    token = program._credentials["HTTP_AUTHORIZATION"]
    sent = {"PATH_INFO": "/api/v1/clients", "CONTENT_TYPE": "application/json", "HTTP_AUTHORIZATION": token}
    return application.get_response(received(body, len(SENT), **sent, **given))


def test_a_cut_body_leaves_its_key_to_the_whole_one(acme: TenantView, api: ApiFor) -> None:
    program, key = api(acme), str(uuid4())
    cut = answer(program, SENT[:20], HTTP_IDEMPOTENCY_KEY=key)
    told = json.loads(cut.content)
    assert (cut.status_code, told["code"], told["detail"]) == (400, "malformed_body", "The body did not arrive whole.")
    assert not IdempotencyKey.objects.exists()
    whole = answer(program, SENT, HTTP_IDEMPOTENCY_KEY=key)
    assert (whole.status_code, "Idempotent-Replayed" in whole) == (201, False)


def test_a_cut_body_is_refused_without_a_key_too(acme: TenantView, api: ApiFor) -> None:
    cut = answer(api(acme), SENT[:20])
    assert (cut.status_code, json.loads(cut.content)["detail"]) == (400, "The body did not arrive whole.")
    with in_tenant(acme):
        assert not Client.objects.filter(name="Cut Ltd").exists()


def test_a_form_is_not_half_believed() -> None:
    request = received(b"amount=10", len(b"amount=1000"), CONTENT_TYPE=FORM)
    with pytest.raises(UnreadablePostError):
        _ = request.POST
    assert not request.POST


def test_what_is_read_in_parts_is_whole_or_fails() -> None:
    def read(body: bytes, announced: int) -> list[bytes]:
        request = received(body, announced)
        return [request.read(3), request.readline(), request.readline(2), request.read(), request.read()]

    assert read(b"abcde\nfgh\n", 10) == [b"abc", b"de\n", b"fg", b"h\n", b""]
    with pytest.raises(UnreadablePostError):
        read(b"abcde\nfgh", 10)
    with pytest.raises(UnreadablePostError):
        read(b"abcde", 10)

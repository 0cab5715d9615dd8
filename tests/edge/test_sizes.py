"""How much may be sent: bytes, depth, values, fields, files; what is longer is refused in the shape of its host."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from apps.iam.models import User
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.factories.iam import operator
from tests.fixtures.clients import ApiFor, BrowserFor

HUGE = "11000000"


@pytest.fixture
def program(acme: TenantView, api: ApiFor) -> APIClient:
    return api(acme)


def nested(depth: int) -> bytes:
    return b'{"name": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def post(client: APIClient, body: bytes, **extra: Any) -> Any:
    return client.generic("POST", "/api/v1/clients", body, content_type="application/json", **extra)


def test_json_has_a_depth(program: APIClient) -> None:
    assert problem(post(program, nested(32)), 400)["code"] == "validation_failed"
    refused = problem(post(program, nested(33)), 400)
    assert (refused["code"], "32 levels" in refused["detail"]) == ("malformed_body", True)


def test_json_has_a_number_of_values(program: APIClient) -> None:
    assert problem(post(program, json.dumps({"name": [0] * 49_000}).encode()), 400)["code"] == "validation_failed"
    refused = problem(post(program, json.dumps({"name": [[0] * 500] * 101}).encode()), 400)
    assert (refused["code"], "50000 values" in refused["detail"]) == ("malformed_body", True)


@pytest.mark.parametrize("length", [HUGE, "9" * 30, "-1", "١٢", "1e3", "0x10"])
def test_a_length_beyond_the_limit_or_beyond_sense(program: APIClient, length: str) -> None:
    assert problem(post(program, b"{}", CONTENT_LENGTH=length), 413)["code"] == "body_too_large"


def test_a_body_without_a_length_is_not_taken_for_an_empty_one(program: APIClient) -> None:
    answer = post(program, b"", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert problem(answer, 411)["code"] == "length_required"


def test_a_page_says_it_in_the_readers_language(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host)
    told = client.post("/sign-in/", CONTENT_LENGTH=HUGE, headers={"Accept-Language": "de"})
    assert told.status_code == 413
    assert "Das ist mehr, als auf einmal gesendet werden kann" in told.content.decode()


def test_a_form_has_a_number_of_fields(acme: TenantView, browser_client: BrowserFor) -> None:
    many = "&".join(f"f{n}=1" for n in range(5001))
    answer = browser_client(acme).post("/clients/new/", many, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


def test_an_upload_has_a_number_of_files(acme: TenantView, browser_client: BrowserFor) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="f%d"; filename="a"\r\n\r\nx\r\n'
    body = b"".join(part % n for n in range(21)) + b"--b--\r\n"
    answer = browser_client(acme).post("/clients/new/", body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 400


def test_only_operators_send_what_is_longer_and_only_where_archives_go(db: None) -> None:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    there = reverse("admin:archives_archivejob_import")
    announced: dict[str, Any] = {"data": b"x", "content_type": "application/octet-stream", "CONTENT_LENGTH": HUGE}
    assert client.post(there, **announced).status_code == 413
    client.force_login(User.objects.get(email=operator()))
    assert client.post(there, **announced).status_code != 413
    assert client.post(reverse("admin:index"), **announced).status_code == 413
    assert client.post(there, **(announced | {"CONTENT_LENGTH": "9" * 12})).status_code == 413

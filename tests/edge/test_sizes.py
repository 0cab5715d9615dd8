"""How much may be sent: bytes, depth, values, fields, files; what is longer is refused in the shape of its host."""

import json
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from rest_framework.test import APIClient

from apps.iam.models import User
from apps.tenancy.selectors import TenantView
from config.wsgi import application
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
    answer = post(program, b"{}", CONTENT_LENGTH=length)
    assert problem(answer, 413)["code"] == "body_too_large"
    assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_a_body_without_a_length_is_not_taken_for_an_empty_one(program: APIClient) -> None:
    answer = post(program, b"", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert problem(answer, 411)["code"] == "length_required"


def test_a_page_says_it_in_the_readers_language(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host)
    told = client.post("/sign-in/", CONTENT_LENGTH=HUGE, headers={"Accept-Language": "de"})
    assert told.status_code == 413
    assert "Das ist mehr, als auf einmal gesendet werden kann" in told.content.decode()


FORM = "application/x-www-form-urlencoded"
MANY = "&".join(f"f{n}=1" for n in range(5001))
PART = b'--b\r\nContent-Disposition: form-data; name="f%d"; filename="a"\r\n\r\nx\r\n'
FILES = b"".join(PART % n for n in range(21)) + b"--b--\r\n"
TOKENS = "/api/v1/auth/token"


# Who never asks for the query does not mind it.
ANSWERS = {"/api/v1/invoices": 400, "/sign-in/": 400, "/admin/login/": 400, "/health/live": 200, "/nothing": 404}


def test_a_query_has_a_number_of_fields(program: APIClient) -> None:
    """As the web process reads it: Django's client makes requests of its own."""
    token = program._credentials["HTTP_AUTHORIZATION"]
    for charset in ("", "; charset=utf-8", "; charset=latin1", "; charset=rot13"):
        given = {"CONTENT_TYPE": f"application/json{charset}", "HTTP_AUTHORIZATION": token, "QUERY_STRING": MANY}
        for path, status in ANSWERS.items():
            environ = RequestFactory(SERVER_NAME="localhost")._base_environ(PATH_INFO=path, **given)  # type: ignore[attr-defined]
            answer = application.get_response(application.request_class(environ))
            assert (answer.status_code, bool(answer["X-Correlation-ID"])) == (status, True), (path, charset)
            if path.startswith("/api/"):
                told = json.loads(answer.content)
                assert (told["code"], told["limit"]) == ("too_many_fields", 5000)


def test_a_form_has_a_number_of_fields(acme: TenantView, browser_client: BrowserFor, program: APIClient) -> None:
    assert browser_client(acme).post("/clients/new/", MANY, content_type=FORM).status_code == 400
    refused = problem(program.generic("POST", TOKENS, MANY, content_type=FORM), 400)
    assert (refused["code"], refused["limit"]) == ("too_many_fields", 5000)


def test_an_upload_has_a_number_of_files(acme: TenantView, browser_client: BrowserFor) -> None:
    kind = "multipart/form-data; boundary=b"
    assert browser_client(acme).post("/clients/new/", FILES, content_type=kind).status_code == 400


def test_the_admins_forms_have_both(db: None) -> None:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    client.force_login(User.objects.get(email=operator()))
    for path in (reverse("admin:login"), reverse("admin:iam_user_changelist")):
        for kind, body in ((FORM, MANY.encode()), ("multipart/form-data; boundary=b", FILES)):
            assert client.post(path, body, content_type=kind).status_code == 400


def test_only_operators_send_what_is_longer_and_only_where_archives_go(db: None) -> None:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    there = reverse("admin:archives_archivejob_import")
    announced: dict[str, Any] = {"data": b"x", "content_type": "application/octet-stream", "CONTENT_LENGTH": HUGE}
    assert client.post(there, **announced).status_code == 413
    client.force_login(User.objects.get(email=operator()))
    assert client.post(there, **announced).status_code != 413
    assert client.post(reverse("admin:index"), **announced).status_code == 413
    assert client.post(there, **(announced | {"CONTENT_LENGTH": "9" * 12})).status_code == 413

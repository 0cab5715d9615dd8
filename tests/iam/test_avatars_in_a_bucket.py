"""Pictures in a bucket: the same way by presigned addresses, against an S3 server in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from django.test import Client
from rest_framework.test import APIClient

from apps.iam import avatars
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.fixtures.clients import ApiFor
from tests.fixtures.processes import free_port, wait_until
from tests.fixtures.tenants import actor_of
from tests.iam.pictures import picture

BUCKET, SECRET = "insula-tests", "nothing-secret"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """The address of an S3 server."""
    port = free_port()
    arguments = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: httpx.get(f"{address}/moto-api/").status_code == 200, what="the S3 server")
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def bucket(s3_server: str, settings: Any) -> Any:
    """An empty bucket, which the product's files go to."""
    credentials = {"aws_access_key_id": "tests", "aws_secret_access_key": SECRET, "region_name": "eu-central-1"}
    client = boto3.client("s3", endpoint_url=s3_server, config=Config(s3={"addressing_style": "path"}), **credentials)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    options = {
        "bucket_name": BUCKET,
        "endpoint_url": s3_server,
        "region_name": "eu-central-1",
        "access_key": "tests",
        "secret_key": SECRET,
        "addressing_style": "path",
        "default_acl": None,
        "file_overwrite": True,
        "signature_version": "s3v4",
    }
    storage = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return client


def _keys(client: Any) -> list[str]:
    return [item["Key"] for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_a_picture_goes_straight_into_the_bucket(acme: TenantView, api: ApiFor, bucket: Any) -> None:
    member, content = api(acme, "MEMBER"), picture()
    told = member.post("/api/v1/me/avatar", {"content_type": "image/png", "size": len(content)}).json()
    signed = parse_qs(urlsplit(told["upload_url"]).query)
    assert signed["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert signed["X-Amz-Expires"] == ["900"] and told["object_key"] in told["upload_url"]
    confirm = {"object_key": told["object_key"]}
    assert problem(member.post("/api/v1/me/avatar/confirm", confirm), 409)["code"] == "not_uploaded"

    assert httpx.put(told["upload_url"], content=content, headers=told["headers"]).status_code == 200
    assert _keys(bucket) == [told["object_key"]]
    url = member.post("/api/v1/me/avatar/confirm", confirm).json()["avatar_url"]
    name = url.rpartition("/")[2].removesuffix("-256.webp")
    assert _keys(bucket) == [avatars.picture_key(acme.id, name, size) for size in (256, 64)]
    shown = Client(SERVER_NAME=acme.host).get(url.removeprefix(acme.home_url))
    assert shown.status_code == 200 and shown["Content-Type"] == "image/webp"

    # Our own address takes nothing where files go to a bucket.
    put = APIClient(SERVER_NAME="localhost").put("/api/v1/uploads/x", content, content_type="image/png")
    assert put.status_code == 404

    assert member.delete("/api/v1/me/avatar").status_code == 204
    assert _keys(bucket) == []


def test_a_bucket_that_is_away_is_said_and_leaves_nothing_shown(acme: TenantView, api: ApiFor, settings: Any) -> None:
    options = {"bucket_name": BUCKET, "endpoint_url": f"http://127.0.0.1:{free_port()}", "region_name": "eu-central-1"}
    keys = {"access_key": "tests", "secret_key": SECRET, "client_config": Config(retries={"max_attempts": 0})}
    storage = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {**options, **keys}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    member = api(acme, "MEMBER")
    told = member.post("/api/v1/me/avatar", {}).json()
    answer = member.post("/api/v1/me/avatar/confirm", {"object_key": told["object_key"]})
    assert problem(answer, 503)["code"] == "unavailable"
    assert avatars.names_of(acme.id, [actor_of(acme, "MEMBER").user_id or acme.id]) == {}

"""Who may call: test keys only, from this machine only."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import stripe

from sandbox.stripe.__main__ import loopback_address
from sandbox.stripe.configuration import ACCOUNT_ID
from tests.sandbox.process import KEY, REPOSITORY, Sandbox

pytestmark = pytest.mark.over_http


def _get(sandbox: Sandbox, path: str = "/v1/account", **headers: str) -> httpx.Response:
    return httpx.get(f"{sandbox.url}{path}", headers=headers, trust_env=False)


@pytest.mark.parametrize("prefix", ["sk_live_", "rk_live_", "pk_live_"])
def test_live_keys_are_refused_and_not_repeated(sandbox: Sandbox, prefix: str) -> None:
    key = prefix + "x" * 30
    answer = _get(sandbox, Authorization=f"Bearer {key}")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "livemode_mismatch"
    assert key not in answer.text
    with pytest.raises(stripe.PermissionError):
        stripe.StripeClient(key, base_addresses={"api": sandbox.url}).v1.accounts.retrieve_current()


@pytest.mark.parametrize("key", ["", "sk_test_short", "nonsense" * 6])
def test_unusable_keys_are_unauthorized(sandbox: Sandbox, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = _get(sandbox, **headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["Request-Id"].startswith("req_")


def test_the_account_is_the_same_for_every_key(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    account = client.v1.accounts.retrieve_current()
    other = stripe.StripeClient("sk_test_" + "b" * 40, base_addresses={"api": sandbox.url})
    assert other.v1.accounts.retrieve_current().id == account.id
    assert client.v1.accounts.retrieve(account.id).id == account.id
    with pytest.raises(stripe.PermissionError):
        client.v1.accounts.retrieve("acct_other")


def test_basic_authentication_and_account_header_are_taken(sandbox: Sandbox) -> None:
    answer = httpx.get(
        f"{sandbox.url}/v1/account", auth=(KEY, ""), headers={"Stripe-Account": ACCOUNT_ID}, trust_env=False
    )
    assert answer.status_code == 200
    assert answer.headers["Stripe-Account"] == ACCOUNT_ID
    assert answer.headers["Stripe-Version"] == "2026-08-26.dahlia"


def test_the_version_is_the_one_which_the_sdk_pins(http: object, client: stripe.StripeClient) -> None:
    client.v1.accounts.retrieve_current()
    assert http.headers[-1]["Stripe-Version"] == stripe.api_version  # type: ignore[attr-defined]


def test_other_host_names_and_foreign_pages_are_refused(sandbox: Sandbox) -> None:
    assert _get(sandbox, "/", Host="evil.example").status_code == 403
    own = sandbox.url
    statuses = {
        origin: httpx.post(f"{own}/panel/faults", headers={"Origin": origin}, trust_env=False).status_code
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://tenant.localhost:8000", own)
    }
    assert set(statuses.values()) == {403, 400} and [key for key, code in statuses.items() if code == 400] == [own]


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.stripe", "--host", "0.0.0.0", "--data", str(tmp_path / "x.sqlite3")]
    refused = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    for host in ("::", "192.0.2.1", "10.0.0.1", "example.com", ""):
        with pytest.raises(argparse.ArgumentTypeError):
            loopback_address(host)
    assert not list(tmp_path.iterdir())


def test_live_objects_are_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.PermissionError) as refused:
        client.v1.checkout.sessions.retrieve("cs_live_a1b2c3")
    assert refused.value.json_body["error"]["code"] == "livemode_mismatch"
    with pytest.raises(stripe.PermissionError):
        client.v1.customers.create({"name": "sk_live_" + "0" * 24})

"""How many simple calls a second the Stripe sandbox answers for one core's worth of processor time."""

from __future__ import annotations

import http.client
import threading
import time
from pathlib import Path

import pytest

from tests.bench.conftest import Measured
from tests.sandbox.process import KEY, Sandbox

CALLS, CLIENTS = 2_000, 4
WANTED = 500.0


def _processor_seconds(pid: int) -> float:
    """Return the user and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _call(sandbox: Sandbox, number: int, method: str, path: str, body: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(number):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("create a customer", "POST", "/v1/customers", "name=Ionian+Yachts&metadata[tenant]=7"),
        ("retrieve a customer", "GET", "/v1/customers/{customer}", ""),
        ("list ten customers", "GET", "/v1/customers?limit=10", ""),
    ],
)
def test_simple_calls(tmp_path: Path, measured: Measured, name: str, method: str, path: str, body: str) -> None:
    sandbox = Sandbox(tmp_path / "sandbox.sqlite3").start()
    client = sandbox.client()
    made = [client.v1.customers.create({"name": f"Customer {index}"}).id for index in range(20)]
    path = path.replace("{customer}", made[0])
    before, began = _processor_seconds(sandbox.pid), time.perf_counter()
    threads = [
        threading.Thread(target=_call, args=(sandbox, CALLS // CLIENTS, method, path, body)) for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, used = time.perf_counter() - began, _processor_seconds(sandbox.pid) - before
    sandbox.stop()
    rate = f"{CALLS / used:,.0f} calls/s of one core, {CALLS / took:,.0f}/s by the clock"
    measured(f"Stripe sandbox: {name}", rate)
    assert CALLS / used >= WANTED

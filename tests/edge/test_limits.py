"""Rate limits: exact under threads, layered, told in headers, and what happens while Valkey is away."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from rest_framework.test import APIClient

from apps.core import ids
from apps.edge import limits, windows
from apps.edge.errors import RateLimited
from apps.edge.limits import Rule
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.processes import free_port, wait_until

SIGN_IN = "/api/v1/auth/signin"
WRONG = {"email": "nobody@example.test", "password": "wrong", "tenant": "aaaaaaaa"}


def forget() -> None:
    client = redis.Redis.from_url(django_settings.CACHES["default"]["LOCATION"])
    for key in client.scan_iter("insula:limit:*"):
        client.delete(key)
    client.close()


@pytest.fixture
def enforced(settings: Any) -> Iterator[Any]:
    """The limits in force, nothing counted yet; the test may set smaller ones."""
    settings.RATE_LIMITS_ENFORCED = True
    settings.RATE_LIMITS = dict(settings.RATE_LIMITS)
    forget()
    yield settings
    forget()


def standing(answer: Any, rule: str) -> tuple[int, int]:
    """What is left and the seconds until more is."""
    found = re.search(rf'"{rule}";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
    assert found, answer.headers["RateLimit"]
    return int(found[1]), int(found[2])


def test_sixteen_threads_get_exactly_the_limit() -> None:
    rule, subject = Rule("threads", 500, 3600), str(ids.uuid7())

    def try_once(_: int) -> bool:
        try:
            limits.take([(rule, subject)])
        except RateLimited:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(try_once, range(1200))) == 500


def test_no_window_ever_holds_more_than_the_limit() -> None:
    rule, subject = Rule("window", 20, 1), str(ids.uuid7())
    client = redis.Redis.from_url(django_settings.CACHES["default"]["LOCATION"])
    passed: list[float] = []

    def full() -> bool:
        try:
            limits.take([(rule, subject)])
        except RateLimited:
            return False
        seconds, micros = client.time()
        passed.append(seconds + micros / 1e6)
        return len(passed) >= 70

    # The instants are read a moment after the decision, hence the tolerance of a busy machine in the refusals only.
    wait_until(lambda: any(full() for _ in range(50)), what="70 calls to pass")
    keys = [score for _, score in client.zrange(f"insula:limit:window:{subject}", 0, -1, withscores=True)]
    assert len(keys) <= 20
    # In any 21 calls that passed, the last began a whole window after the first was let through.
    assert all(later - earlier > 0.5 for earlier, later in zip(passed, passed[20:], strict=False))


def test_a_refused_call_counts_for_no_rule() -> None:
    wide, narrow = Rule("wide", 10, 60), Rule("narrow", 1, 60)
    subject = str(ids.uuid7())
    limits.take([(wide, subject), (narrow, subject)])
    for _ in range(5):
        with pytest.raises(RateLimited) as refused:
            limits.take([(wide, subject), (narrow, subject)])
    assert [s.remaining for s in refused.value.standings] == [9, 0]
    assert limits.take([(wide, subject)])[0].remaining == 8


def test_a_valkey_that_starts_anew_costs_no_call() -> None:
    rule, subject = Rule("anew", 2, 3600), str(ids.uuid7())
    url = django_settings.CACHES["default"]["LOCATION"]
    assert limits.take([(rule, subject)])[0].remaining == 1
    own = windows._connection_to(url)
    own.send_command("CLIENT", "ID")
    client = redis.Redis.from_url(url)
    client.client_kill_filter(_id=str(own.read_response()))
    client.script_flush()
    client.close()
    assert limits.take([(rule, subject)])[0].remaining == 0
    with pytest.raises(RateLimited):
        limits.take([(rule, subject)])


def test_signing_in_is_refused_after_five_a_minute(enforced: Any, anonymous_api: APIClient, db: None) -> None:
    answers = [anonymous_api.post(SIGN_IN, WRONG) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    refused = answers[-1]
    assert refused.json()["code"] == "rate_limited"
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert [standing(answer, "sensitive")[0] for answer in answers] == [4, 3, 2, 1, 0, 0]
    assert '"sensitive";q=5;w=60' in refused.headers["RateLimit-Policy"]


def test_the_form_is_counted_with_the_api(enforced: Any, acme: TenantView, anonymous_api: APIClient, db: None) -> None:
    for _ in range(5):
        anonymous_api.post(SIGN_IN, WRONG)
    browser = Client(SERVER_NAME=acme.host, raise_request_exception=False)
    refused = browser.post("/sign-in/", {"email": "nobody@example.test", "password": "wrong"})
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert b"Too many" in refused.content
    assert browser.get("/sign-in/").status_code == 200


def test_an_operators_password_and_code_are_counted_with_them(enforced: Any, db: None) -> None:
    browser = Client(SERVER_NAME=django_settings.PLATFORM_HOST)
    guess = {"username": "nobody@example.test", "password": "wrong"}
    statuses = [browser.post(path, guess).status_code for path in ["/admin/login/"] * 3 + ["/admin/second-step/"] * 3]
    assert statuses[-1] == 429
    assert 429 not in statuses[:5]


def test_another_address_is_not_held_up(enforced: Any, anonymous_api: APIClient, db: None) -> None:
    for _ in range(6):
        anonymous_api.post(SIGN_IN, WRONG)
    other = WRONG | {"email": "somebody@example.test"}
    assert anonymous_api.post(SIGN_IN, other, REMOTE_ADDR="198.51.100.7").status_code == 401


def test_a_forged_address_does_not_help(enforced: Any, anonymous_api: APIClient, db: None) -> None:
    forged = [
        anonymous_api.post(SIGN_IN, WRONG, REMOTE_ADDR="203.0.113.9", headers={"X-Forwarded-For": f"198.51.100.{i}"})
        for i in range(6)
    ]
    assert forged[-1].status_code == 429


def test_people_are_counted_by_themselves_and_with_their_workspace(
    enforced: Any, acme: TenantView, globex: TenantView, api: ApiFor
) -> None:
    owner, admin, stranger = api(acme), api(acme, "ADMIN"), api(globex)
    enforced.RATE_LIMITS |= {"user": (3, 60), "workspace": (4, 60)}
    forget()
    statuses = [owner.get("/api/v1/clients").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert [admin.get("/api/v1/clients").status_code for _ in range(2)] == [200, 429]
    answer = stranger.get("/api/v1/clients")
    assert (answer.status_code, standing(answer, "workspace")[0]) == (200, 3)


def test_every_answer_says_how_the_rules_stand(enforced: Any, acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    answers = [caller.get("/api/v1/clients") for _ in range(3)]
    left = [standing(answer, "user")[0] for answer in answers]
    assert all(earlier - later == 1 for earlier, later in pairwise(left))
    missing = caller.get(f"/api/v1/clients/{ids.uuid7()}")
    assert (missing.status_code, standing(missing, "user")[0]) == (404, left[-1] - 1)


def test_pages_are_counted(enforced: Any, acme: TenantView, browser_client: BrowserFor) -> None:
    browser = browser_client(acme)
    assert standing(browser.get("/clients/"), "user")[0] <= 999


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_machines_are_not_counted(enforced: Any, path: str, db: None) -> None:
    assert "RateLimit" not in Client(SERVER_NAME=django_settings.PLATFORM_HOST).get(path).headers


def test_without_valkey_reading_goes_on_and_signing_in_does_not(
    enforced: Any, acme: TenantView, api: ApiFor, anonymous_api: APIClient
) -> None:
    caller = api(acme)
    cache = {**django_settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{free_port()}/0"}
    before = django_settings.CACHES
    enforced.CACHES = {**django_settings.CACHES, "default": cache}
    assert caller.get("/api/v1/clients").status_code == 200
    refused = anonymous_api.post(SIGN_IN, WRONG)
    assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (503, "unavailable", "5")
    enforced.CACHES = before


def test_a_valkey_that_hangs_is_asked_by_one_call_at_a_time(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rule, subject = Rule("hanging", 500, 3600), str(ids.uuid7())
    clock = [0.0]
    monkeypatch.setattr(windows, "monotonic", lambda: clock[0])

    def is_counted(_: int) -> bool:
        try:
            limits.take([(rule, subject)])
        except redis.RedisError:
            return False
        return True

    before = settings.CACHES
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        settings.CACHES = {**before, "default": {**before["default"], "LOCATION": place}}
        silent.setblocking(False)
        for moment in (0.0, windows.PAUSE_SECONDS, 2 * windows.PAUSE_SECONDS):
            clock[0] = moment
            if moment == 0:
                assert not is_counted(0)
            else:
                with ThreadPoolExecutor(4) as threads:
                    assert not any(threads.map(is_counted, range(20)))
            silent.accept()[0].close()
            # Whoever asked had to connect: the line of a call that waited in vain is closed.
            with pytest.raises(BlockingIOError):
                silent.accept()
    settings.CACHES = before
    assert not is_counted(0)
    clock[0] = 3 * windows.PAUSE_SECONDS
    assert is_counted(0)
    assert is_counted(0)


def test_a_pause_may_be_ended_while_another_call_looks_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = windows._Pause()
    pause.begin()

    def ending() -> float:
        pause.end()
        return 0.0

    monkeypatch.setattr(windows, "monotonic", ending)
    assert not pause.is_over()
    assert pause.is_over()


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_addresses_that_one_subscriber_chooses_freely_are_counted_as_one(
    enforced: Any, anonymous_api: APIClient, db: None, one: str, other: str, together: bool
) -> None:
    enforced.RATE_LIMITS["sensitive"] = (1, 60)
    assert anonymous_api.post(SIGN_IN, WRONG, REMOTE_ADDR=one).status_code == 401
    assert (anonymous_api.post(SIGN_IN, WRONG, REMOTE_ADDR=other).status_code == 429) is together

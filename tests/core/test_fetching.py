"""Servers that tenants name are asked carefully."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.core import fetching
from apps.core.fetching import FetchFailed


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/large")
            self.end_headers()
            return
        if self.path == "/dripping":
            # A head that grows by one sign at a time, each of them well before any single read gives up.
            never = threading.Event()
            with suppress(OSError):
                for sign in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 150 + b"\r\nContent-Length: 0\r\n\r\n":
                    self.connection.send(bytes([sign]))
                    never.wait(0.02)
            return
        if self.path.startswith("/echo"):
            body = f"{self.path} {self.headers['Host']}".encode()
        else:
            body = b"x" * (fetching.MOST_BYTES + 1 if self.path == "/large" else 3)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_an_answer(server, settings):
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    assert fetching.fetch("GET", f"{server}/small") == fetching.Answer(200, b"xxx")


def test_a_redirect_is_not_followed(server, settings):
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    assert fetching.fetch("GET", f"{server}/moved").status == 302


def test_a_large_answer_is_cut_off(server, settings):
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    with pytest.raises(FetchFailed):
        fetching.fetch("GET", f"{server}/large")


def test_a_server_that_drips_gains_no_time(server, settings):
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    with pytest.raises(FetchFailed, match="too long"):
        fetching.fetch("GET", f"{server}/dripping", total_seconds=0.4)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "10.0.0.1", "169.254.169.254"],
)
def test_private_addresses_are_not_asked(server, settings, host):
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    port = server.rpartition(":")[2]
    with pytest.raises(FetchFailed):
        fetching.fetch("GET", f"https://{host}:{port}/small")


@pytest.mark.parametrize(
    "url",
    ["http://login.example", "ftp://login.example", "https://", "https://a:b@login.example", "https://x:99999", "//x"],
)
def test_other_addresses_are_refused_by_their_form(settings, url):
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    with pytest.raises(FetchFailed):
        fetching.require_public_form(url)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "100.64.0.1", "224.0.0.1", "fe80::1", "fc00::1", "fec0::1", "2002:7f00:1::"),
        *("::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1"),
    ],
)
def test_what_is_not_public(address):
    assert not fetching.is_public(address)


def test_what_is_public():
    assert fetching.is_public("93.184.215.14") and fetching.is_public("2606:4700::1111")
    assert fetching.is_public("::ffff:93.184.215.14") and fetching.is_public("64:ff9b::5db8:d70e")


def test_a_name_that_nobody_answers_for_gains_no_time(settings, monkeypatch):
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    answered = threading.Event()
    monkeypatch.setattr(fetching.socket, "getaddrinfo", lambda *_, **__: answered.wait(60) and [])
    with pytest.raises(FetchFailed, match="too long"):
        fetching.fetch("GET", "https://slow-names.example/", total_seconds=0.2)
    answered.set()


def test_the_next_address_is_asked_when_the_first_does_not_answer(server, settings, monkeypatch):
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    port = int(server.rpartition(":")[2])
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.9", "127.0.0.1")]
    monkeypatch.setattr(fetching.socket, "getaddrinfo", lambda host, *_, **__: entries)
    assert fetching.fetch("GET", f"http://several.example:{port}/small").body == b"xxx"


def test_of_a_long_answer_the_beginning_may_be_enough(server, settings):
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    answer = fetching.fetch("GET", f"{server}/large", most_bytes=10, cut=True)
    assert (answer.body, dict(answer.headers)["content-length"]) == (b"x" * 10, str(fetching.MOST_BYTES + 1))


def test_the_path_and_the_host_arrive_as_they_were_named(server, settings):
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    asked = f"{server}/echo/a;v=1?b=%20;c"
    assert fetching.fetch("GET", asked).body.decode().split(" ") == [asked.removeprefix(server), server[7:]]


def test_a_server_that_takes_a_request_in_sips_gains_no_time(settings):
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    body, never, taken = b"x" * 30_000_000, threading.Event(), 0

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def sip() -> None:
            nonlocal taken
            with listening.accept()[0] as connection, suppress(OSError):
                while sip := connection.recv(256 * 1024):
                    taken += len(sip)
                    never.wait(0.02)

        reader = threading.Thread(target=sip)
        reader.start()
        with pytest.raises(FetchFailed, match="took too long"):
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
            fetching.fetch("POST", url, content=body, total_seconds=0.3)
        reader.join()
    assert 0 < taken < len(body)

"""The real web process before clients that are slow, vague or boundless."""

import socket

import pytest

from tests.fixtures.stack import Stack

HEAD = b"POST /api/v1/auth/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def answer_to(stack: Stack, sent: bytes) -> bytes:
    """Everything that comes back until the server hangs up or has answered."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=60) as connection:
        connection.sendall(sent)
        told = b""
        while part := connection.recv(65536):
            told += part
            if b"\r\n\r\n" in told:
                break
        return told


def test_headers_that_never_end_are_hung_up_on(stack: Stack) -> None:
    assert answer_to(stack, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") == b""


def test_a_body_too_large_is_refused_before_it_is_sent(stack: Stack) -> None:
    told = answer_to(stack, HEAD + b"Content-Length: 30000000\r\n\r\n{")
    assert told.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in told


def test_a_body_in_pieces_without_a_length_is_refused(stack: Stack) -> None:
    told = answer_to(stack, HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 411 ")


@pytest.mark.parametrize("forged", [b"X-Correlation-ID: a\x01b", b"X-Correlation-ID: " + b"x" * 10_240])
def test_ids_that_are_none_are_replaced(stack: Stack, forged: bytes) -> None:
    told = answer_to(stack, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + forged + b"\r\n\r\n")
    assert b"x-correlation-id: a\x01b" not in told and b"xxxxxxxx" not in told
    assert told.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 "))


def test_two_bodies_in_one_are_refused(stack: Stack) -> None:
    """Smuggling: a length and pieces at once (RFC 9112, 6.1)."""
    told = answer_to(
        stack, HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    )
    assert told.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 411 "))
    assert told.count(b"HTTP/1.1 ") == 1

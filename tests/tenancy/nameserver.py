"""A small real name server on loopback: it answers TXT questions from a dictionary that a test fills."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class NameServer:
    """`records` are TXT values by name; names in `broken` are answered with SERVFAIL."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.broken: set[str] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1#{self._socket.getsockname()[1]}"

    def say(self, name: str, *values: str) -> None:
        """Publish TXT records, or none."""
        self.records[name] = list(values)

    def serve(self) -> None:
        """Answer until the socket is closed."""
        while True:
            try:
                wire, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            if not wire:
                return
            self._socket.sendto(self._answer(wire), peer)

    def stop(self) -> None:
        """Wake the thread with an empty packet and close."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())

    def close(self) -> None:
        """Free the port."""
        self._socket.close()

    def _answer(self, wire: bytes) -> bytes:
        question = dns.message.from_wire(wire)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif values := self.records.get(name):
            texts = [f'"{value}"' for value in values]
            answer.answer.append(dns.rrset.from_text(question.question[0].name, 0, "IN", "TXT", *texts))
        elif name not in self.records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()


@contextmanager
def running() -> Iterator[NameServer]:
    """A name server in a thread of its own."""
    server = NameServer()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
        server.close()

"""Asking a server over many connections at once, each as soon as it is answered; and what that cost it."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import quantiles

import psutil


@dataclass(frozen=True)
class Turn:
    """What a server did: answers a second, CPU milliseconds an answer of its own and of the database's processes."""

    per_second: float
    cpu_ms: float
    database_ms: float
    latencies_ms: tuple[float, ...]

    def percentile(self, percent: int) -> float:
        """The latency in ms that `percent` of all answers kept to."""
        return quantiles(self.latencies_ms, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True)
class Target:
    """A server: its process, its port, and what to ask of it."""

    process_id: int
    port: int
    path: str
    headers: dict[str, str]

    @property
    def request(self) -> bytes:
        """The request as it goes over the wire."""
        lines = [f"GET {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def take_turn(target: Target, *, connections: int, seconds: float, database: Iterable[int] = ()) -> Turn:
    """Ask `target` for `seconds`; `database` are the processes that work for it there.

    Raises:
        AssertionError: an answer had another status than 200.
    """
    backends = list(database)
    own, theirs, began = cpu_seconds(family(target.process_id)), cpu_seconds(backends), time.monotonic()
    latencies = asyncio.run(_ask(target, connections, began + seconds))
    took = time.monotonic() - began
    answers = len(latencies)
    return Turn(
        answers / took,
        (cpu_seconds(family(target.process_id)) - own) * 1000 / answers,
        (cpu_seconds(backends) - theirs) * 1000 / answers,
        tuple(latencies),
    )


def family(process_id: int) -> list[int]:
    """A process and all that it started."""
    return [process_id, *(child.pid for child in psutil.Process(process_id).children(recursive=True))]


def cpu_seconds(processes: Iterable[int]) -> float:
    """The CPU that these processes have used so far."""
    spent = [psutil.Process(process).cpu_times() for process in processes]
    return sum(times.user + times.system for times in spent)


async def _ask(target: Target, connections: int, until: float) -> list[float]:
    request = target.request
    latencies: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        while (sent := time.monotonic()) < until:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
            latencies.append((time.monotonic() - sent) * 1000)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return latencies

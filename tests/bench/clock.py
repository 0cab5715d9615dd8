"""Measuring: CPU and wall time of a call, throughput of a server."""

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import psutil


def milliseconds(action: Callable[[], object], times: int = 20, *, clock: Callable[[], float] | None = None) -> float:
    """The median time of `action`, by the wall unless `clock` says otherwise."""
    tell = clock or time.perf_counter
    action()
    taken = []
    for _ in range(times):
        began = tell()
        action()
        taken.append((tell() - began) * 1000)
    return median(taken)


@dataclass(frozen=True)
class Throughput:
    """What a server did: answers a second by the wall, and CPU milliseconds that each took of its processes."""

    per_second: float
    cpu_ms: float


def throughput(
    server: int, port: int, path: str, headers: dict[str, str], *, connections: int, seconds: float
) -> Throughput:
    """Ask over `connections` connections, each as soon as it is answered; `server` is the process's id.

    Raises:
        AssertionError: an answer had another status than 200.
    """
    counts, wrong = [0] * connections, []
    until = time.monotonic() + seconds

    def ask(place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < until and not wrong:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                wrong.append(answer.status)
            counts[place] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(connections)]
    began, used = time.monotonic(), _cpu_seconds(server)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong
    answers = sum(counts)
    return Throughput(
        per_second=answers / (time.monotonic() - began), cpu_ms=(_cpu_seconds(server) - used) * 1000 / answers
    )


def _cpu_seconds(server: int) -> float:
    family = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
    times = [process.cpu_times() for process in family]
    return sum(spent.user + spent.system for spent in times)

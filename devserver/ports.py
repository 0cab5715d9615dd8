"""Finding out which ports are free before anything is started on them."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from devserver.errors import StartupError


def is_free(port: int) -> bool:
    """Whether we can listen on the port and nobody else answers there.

    A server that is bound only to ::1 would get the requests of browsers that try IPv6 first.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            # Binding alone succeeds beside a listener on another address; listening does not.
            probe.listen(1)
        except OSError:
            return False
    try:
        socket.create_connection(("::1", port), timeout=1.0).close()
    except OSError:
        return True
    return False


def require_free(wanted: Mapping[str, int]) -> None:
    """Raise StartupError naming every port of the table (purpose to number) that is taken."""
    taken = [f"{port} ({purpose})" for purpose, port in wanted.items() if not is_free(port)]
    if taken:
        raise StartupError(
            f"Taken by another program: port {', port '.join(taken)}. Insula needs PORT, PORT+1 and PORT+2; "
            f"choose another start, for example: make run PORT={free_start()}"
        )


def free_start(first: int = 8010) -> int:
    """A port that is free together with the two after it, searched upwards in steps of ten.

    Raises:
        StartupError: none is.
    """
    for start in range(first, 65000, 10):
        if all(is_free(port) for port in (start, start + 1, start + 2)):
            return start
    raise StartupError("No three free ports in a row were found.")

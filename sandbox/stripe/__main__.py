"""`python -m sandbox.stripe --port 8002 --data PATH/sandbox.sqlite3`."""

from __future__ import annotations

import argparse
import ipaddress
import logging
from pathlib import Path

from sandbox.stripe.application import Application
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.server import serve


def loopback_address(text: str) -> str:
    """Return the address to listen on.

    Raises: ArgumentTypeError unless it is one of this machine alone.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if text == "localhost" else text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not an address: {text}") from None
    if not address.is_loopback:
        raise argparse.ArgumentTypeError(f"the sandbox listens on loopback addresses only, not on {text}")
    return str(address)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe", description=__doc__)
    parser.add_argument("--host", type=loopback_address, default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=int, default=8002, help="port to listen on")
    parser.add_argument("--data", type=Path, required=True, help="SQLite file or directory, made if missing")
    parser.add_argument("--retry-base", type=float, default=2.0, help="seconds before the first webhook retry")
    parser.add_argument("--max-attempts", type=int, default=16, help="attempts before a webhook delivery fails")
    parser.add_argument("--delivery-timeout", type=float, default=10.0, help="seconds a receiver may take")
    parser.add_argument("--verbose", action="store_true", help="log every request")
    given = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG if given.verbose else logging.WARNING, format="%(levelname)s %(message)s")
    host = f"[{given.host}]" if ":" in given.host else given.host
    configuration = Configuration(
        # A directory is as good as a file's name: the file is then made inside it.
        database=given.data if given.data.suffix else given.data / "sandbox.sqlite3",
        base_url=f"http://{host}:{given.port}",
        retry_base=given.retry_base,
        max_attempts=given.max_attempts,
        delivery_timeout=given.delivery_timeout,
    )
    serve(Application(configuration), given.host, given.port)


if __name__ == "__main__":
    main()

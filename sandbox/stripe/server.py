"""The process: one threaded HTTP server that stops cleanly on SIGTERM and SIGINT."""

from __future__ import annotations

import logging
import signal
import threading
from socketserver import ThreadingMixIn
from types import FrameType

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler

from sandbox.stripe.application import Application

log = logging.getLogger("sandbox.stripe")


class Handler(WSGIRequestHandler):
    """Logs only what went wrong; every connection carries one request."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; without this the second may wait 40 ms for an acknowledgement.
    disable_nagle_algorithm = True
    timeout = 30

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        log.debug("%s %s", self.requestline, code)


class Server(ThreadingMixIn, BaseWSGIServer):
    """One thread per connection; none of them outlives the process."""

    multithread = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256


def serve(application: Application, host: str, port: int) -> None:
    """Serve until a signal says stop."""
    server = Server(host, port, application, Handler)

    def stop(number: int, frame: FrameType | None) -> None:
        # `shutdown` waits for the serving loop, which runs in this very thread.
        threading.Thread(target=server.shutdown, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    application.start()
    print(f"Stripe sandbox on http://{host}:{server.server_port}", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        application.stop()
        server.server_close()

"""Ending what a command leaves running: a test's browser, a worker whose parent was killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Collection

import psutil

PR_SET_CHILD_SUBREAPER = 36
PATIENCE_SECONDS = 5.0


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends (Linux; elsewhere they go to init)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(*, except_for: Collection[int]) -> None:
    """Take leave of adopted processes that have ended; those named are waited for by whoever started them."""
    if sys.platform != "linux":
        return
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in except_for:
            return
        os.waitpid(ended.si_pid, os.WNOHANG)


def end_children(*, except_for: Collection[int] = ()) -> None:
    """Ask every remaining descendant to end, then kill it; spares the named processes and their descendants."""
    left = [
        process
        for child in psutil.Process().children()
        if child.pid not in except_for
        for process in (child, *_descendants(child))
    ]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(left, timeout=PATIENCE_SECONDS)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []

"""Install the locked requirements into `.venv`, with nothing but Python's standard library.

Runs as a script under the machine's own Python; a second run with an unchanged lock file takes milliseconds.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK_FILE = REPOSITORY / "requirements" / "dev.txt"
STAMP = VENV / "insula-requirements.json"
OLDEST = (3, 11)
# For a Python that came without ensurepip (Debian splits it off): pip runs straight from its wheel.
PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
# pip's settings, which uv does not read, and uv's variables for the same.
UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "proxy": "HTTPS_PROXY",
}


class InstallError(Exception):
    """The requirements could not be installed; the message says what to do."""


def main() -> int:
    """Make `.venv` match the lock file; lock files named as arguments are installed beside it."""
    if sys.version_info[:2] < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        print(f"Insula needs Python 3.11 or newer; {sys.executable} is {found}. Try: make PYTHON=python3.12 …")
        return 1
    # The directory itself serves as the lock, so that two `make` at once install one after the other.
    directory = os.open(REPOSITORY, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    try:
        if not _is_current():
            _install()
        for lock in sys.argv[1:]:
            _install_locked(Path(lock), _pip_command())
    except InstallError as error:
        print(f"\n{error}\n", file=sys.stderr)
        return 1
    finally:
        os.close(directory)
    return 0


def _install() -> None:
    started = time.monotonic()
    version = _venv_version()
    if version is None or version < list(OLDEST):
        print(f"Creating {VENV.name} with Python {sys.version.split()[0]}", flush=True)
        _create_venv()
    pip = _pip_command()
    uv = VENV / "bin" / "uv"
    pinned = _pinned_uv()
    if not uv.exists() or _output([str(uv), "--version"]).split()[1:2] != [pinned.split()[0].partition("==")[2]]:
        print("Installing uv", flush=True)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(pinned)
            file.flush()
            _run([*pip, "install", "--quiet", "--no-deps", "--require-hashes", "-r", file.name])
    print(f"Installing {LOCK_FILE.relative_to(REPOSITORY)}", flush=True)
    _install_locked(LOCK_FILE, pip)
    STAMP.write_text(json.dumps(_fingerprint()))
    print(f"Requirements installed in {time.monotonic() - started:.1f} s", flush=True)


def _install_locked(lock: Path, pip: list[str]) -> None:
    uv = str(VENV / "bin" / "uv")
    command = [uv, "pip", "install", "--python", str(PYTHON), "--require-hashes", "--quiet", "-r", str(lock)]
    _run(command, environment=_uv_environment(pip))


def _is_current() -> bool:
    try:
        return PYTHON.exists() and json.loads(STAMP.read_text()) == _fingerprint()
    except (OSError, ValueError):
        return False


def _fingerprint() -> dict[str, str]:
    """What the installed packages depend on: the lock, the interpreter, and where the environment lies."""
    return {
        "lock": hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest(),
        "interpreter": os.path.realpath(PYTHON),
        "place": str(VENV),
    }


def _create_venv() -> None:
    # Debian's python3 without python3-venv lacks only ensurepip.
    has_ensurepip = (
        subprocess.run([sys.executable, "-c", "import ensurepip"], check=False, capture_output=True).returncode == 0
    )
    options = [] if has_ensurepip else ["--without-pip"]
    _run([sys.executable, "-m", "venv", "--clear", *options, str(VENV)])


def _venv_version() -> list[int] | None:
    """Version of the interpreter in `.venv`; None when there is none that works."""
    if not PYTHON.exists():
        return None
    text = _output([str(PYTHON), "-c", "import sys; print(list(sys.version_info[:2]), sys.prefix, sep='|')"])
    version, _, prefix = text.strip().partition("|")
    # A moved or copied environment still points at its old place.
    return ast.literal_eval(version) if prefix and Path(prefix).resolve() == VENV.resolve() else None


def _pip_command() -> list[str]:
    if _output([str(PYTHON), "-m", "pip", "--version"]):
        return [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    return [str(PYTHON), str(_downloaded_pip() / "pip"), "--disable-pip-version-check"]


def _downloaded_pip() -> Path:
    """pip's own wheel from the package index, checked against the pinned hash."""
    wheel = VENV / PIP_WHEEL
    if not wheel.exists():
        index = os.environ.get("PIP_INDEX_URL", "").rstrip("/")
        if not index:
            raise InstallError("This Python has no pip: install its venv package, or name an index in PIP_INDEX_URL.")
        request = urllib.request.Request(f"{index}/pip/", headers={"Accept": "text/html"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                page = answer.read().decode()
            link = re.search(rf'href="([^"]*/{re.escape(PIP_WHEEL)})[#"]', page)
            if link is None:
                raise InstallError(f"{index} does not list {PIP_WHEEL}.")
            with urllib.request.urlopen(urllib.parse.urljoin(f"{index}/pip/", link.group(1)), timeout=60) as answer:
                content = answer.read()
        except OSError as error:
            raise InstallError(f"{PIP_WHEEL} could not be fetched from {index}: {error}") from error
        if hashlib.sha256(content).hexdigest() != PIP_SHA256:
            raise InstallError(f"{PIP_WHEEL} from {index} does not match its pinned hash.")
        wheel.write_bytes(content)
    return wheel


def _pinned_uv() -> str:
    """uv's requirement with its hashes, as it stands in the lock file."""
    found = re.search(r"^uv==.*(?:\n    --hash=\S+(?: \\)?)+", LOCK_FILE.read_text(), re.MULTILINE)
    if found is None:
        raise InstallError(f"{LOCK_FILE} does not pin uv; run `make lock`.")
    return found.group().rstrip(" \\")


def _uv_environment(pip: list[str]) -> dict[str, str]:
    """The environment for uv: pip's index, certificate and proxy settings carried over where uv has none."""
    environment = {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match", **os.environ}
    for line in _output([*pip, "config", "list"]).splitlines():
        key, _, quoted = line.partition("=")
        variable = UV_VARIABLES.get(key.rpartition(".")[2])
        if variable and variable not in os.environ:
            environment[variable] = ast.literal_eval(quoted)
    return environment


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    status = subprocess.run(command, check=False, cwd=REPOSITORY, env=environment).returncode
    if status != 0:
        raise InstallError(f"Installing failed (status {status}): {' '.join(command)}")


def _output(command: list[str]) -> str:
    """What a command prints; empty when it fails."""
    try:
        done = subprocess.run(command, check=False, cwd=REPOSITORY, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())

"""The environment the product's processes get: what a person set, generated secrets, and the embedded servers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dotenv import dotenv_values

from devserver.errors import StartupError
from devserver.layout import REPOSITORY, Layout
from devserver.postgres import DATABASE, PORT, ROLE, Postgres, Tuning, packaged_programs
from devserver.valkey import Valkey

DEFAULT_PORT = 8000
LAST_PORT = 65535
# The sandbox accepts any test key; the prefix keeps it from ever being taken for a live one.
SANDBOX_KEY_PREFIX = "sk_test_insula_"


@dataclass(frozen=True)
class Environment:
    """The variables for every process, and which of our own servers they rely on."""

    variables: Mapping[str, str]
    need_postgres: bool
    need_valkey: bool
    need_sandbox: bool

    @property
    def web_port(self) -> int:
        return int(self.variables["PORT"])

    @property
    def realtime_port(self) -> int:
        return int(self.variables["REALTIME_PORT"])

    @property
    def sandbox_port(self) -> int:
        return int(self.variables["SANDBOX_PORT"])


def given_variables(outer: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a person set: the process environment over the repository's `.env`; empty values count as unset."""
    written = dotenv_values(REPOSITORY / ".env", interpolate=False)
    inherited = os.environ if outer is None else outer
    merged = {**{name: value or "" for name, value in written.items()}, **inherited}
    return {name: value for name, value in merged.items() if value}


def build_environment(layout: Layout, given: Mapping[str, str], *, settings: str) -> Environment:
    """Complete what a person set with secrets (generated once per data directory) and the embedded servers.

    A DATABASE_URL, REDIS_URL or STRIPE_SECRET_KEY that is set is used, and the embedded server in its place
    is not needed. `settings` is the default for DJANGO_SETTINGS_MODULE.

    Raises:
        StartupError: PORT is not a port number.
    """
    port = _port(given)
    defaults = {
        "DJANGO_SETTINGS_MODULE": settings,
        "INSULA_DATA": str(layout.root),
        "PORT": str(port),
        "REALTIME_PORT": str(port + 1),
        "SANDBOX_PORT": str(port + 2),
        "PLATFORM_HOST": "localhost",
        "DATABASE_URL": Postgres(layout, Tuning()).url,
        "REDIS_URL": Valkey(layout).url,
        "MEDIA_ROOT": str(layout.root / "media"),
        "FONT_DIR": str(layout.root / "fonts"),
        # The path begins after the URL's third slash, so an absolute one has four.
        "EMAIL_URL": f"filemail:///{quote(str(layout.root / 'mail'))}",
    }
    generated = _generated(layout)
    need_sandbox = "STRIPE_SECRET_KEY" not in given
    if not need_sandbox:
        # A webhook secret of the sandbox would never verify what the real Stripe signs.
        generated = {name: value for name, value in generated.items() if not name.startswith("STRIPE_")}
    variables = _with_bytecode_kept({**defaults, **generated, **given}, layout)
    if need_sandbox:
        variables.setdefault("STRIPE_API_HOST", f"http://127.0.0.1:{variables['SANDBOX_PORT']}")
    return Environment(
        variables=variables,
        need_postgres="DATABASE_URL" not in given,
        need_valkey="REDIS_URL" not in given,
        need_sandbox=need_sandbox,
    )


def libpq_variables(layout: Layout) -> dict[str, str]:
    """What lets plain `psql` (the machine's, else the embedded one) reach the embedded server."""
    return {
        "PATH": os.pathsep.join([os.environ.get("PATH", os.defpath), str(packaged_programs())]),
        "PGHOST": str(layout.postgres_socket_dir),
        "PGPORT": str(PORT),
        "PGUSER": ROLE,
        "PGDATABASE": DATABASE,
    }


def _with_bytecode_kept(variables: dict[str, str], layout: Layout) -> dict[str, str]:
    """Who wants no bytecode beside the sources gets it in the data directory.

    Without any, each of our many processes would compile every package anew: seconds of a core.
    """
    if "PYTHONDONTWRITEBYTECODE" not in variables:
        return variables
    kept = {name: value for name, value in variables.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"PYTHONPYCACHEPREFIX": str(layout.root / "bytecode"), **kept}


def _generated(layout: Layout) -> dict[str, str]:
    """The data directory's own secrets, made on the first start and never overwritten."""
    path = layout.root / ".env"
    if not path.exists():
        fresh = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "JWT_PRIVATE_KEY_FILE": str(layout.root / "jwt_private_key.pem"),
            "STRIPE_SECRET_KEY": SANDBOX_KEY_PREFIX + secrets.token_hex(16),
            "STRIPE_WEBHOOK_SECRET": "whsec_" + secrets.token_hex(24),
        }
        lines = ["# Generated on the first start. Sessions and tokens end when these change."]
        lines += [f"{name}={value}" for name, value in fresh.items()]
        _write_private(path, "\n".join(lines) + "\n")
    values = {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}
    key_file = values.get("JWT_PRIVATE_KEY_FILE")
    if key_file and not Path(key_file).exists():
        _write_private(Path(key_file), _new_rsa_key())
    return values


def _new_rsa_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, complete or not at all."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.rename(path)


def _port(given: Mapping[str, str]) -> int:
    text = given.get("PORT", str(DEFAULT_PORT))
    if not text.isdigit() or not 1 <= int(text) <= LAST_PORT - 2:
        raise StartupError(f"PORT must be a number from 1 to {LAST_PORT - 2}, but it is {text!r}.")
    return int(text)

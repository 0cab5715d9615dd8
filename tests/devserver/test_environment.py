"""What the product's processes are told, and who decides it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from devserver.environment import build_environment
from devserver.errors import StartupError
from devserver.layout import REPOSITORY, Layout

SETTINGS = "config.settings.dev"


def test_secrets_are_made_once_and_only_their_owner_reads_them(layout: Layout) -> None:
    first = build_environment(layout, {}, settings=SETTINGS).variables
    second = build_environment(layout, {}, settings=SETTINGS).variables
    assert first == second
    for file in (layout.root / ".env", Path(first["JWT_PRIVATE_KEY_FILE"])):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = load_pem_private_key(Path(first["JWT_PRIVATE_KEY_FILE"]).read_bytes(), None)
    assert key.key_size == 2048  # type: ignore[union-attr]


def test_two_data_directories_have_different_secrets(layout: Layout, tmp_path: Path) -> None:
    other = Layout(tmp_path / "other", tmp_path / "other/postgres", tmp_path / "other/run", None, None)
    other.root.mkdir()
    names = ("SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
    one, two = (build_environment(each, {}, settings=SETTINGS).variables for each in (layout, other))
    assert all(one[name] != two[name] for name in names)


def test_servers_that_are_named_replace_the_embedded_ones(layout: Layout) -> None:
    given = {
        "DATABASE_URL": "postgres://someone@db.example/insula",
        "REDIS_URL": "redis://cache.example/0",
        "STRIPE_SECRET_KEY": "sk_test_real",
    }
    environment = build_environment(layout, given, settings=SETTINGS)
    assert not (environment.need_postgres or environment.need_valkey or environment.need_sandbox)
    assert environment.variables["DATABASE_URL"] == given["DATABASE_URL"]
    assert "STRIPE_API_HOST" not in environment.variables
    # The stand-in's webhook secret would refuse everything the real Stripe signs.
    assert "STRIPE_WEBHOOK_SECRET" not in environment.variables


def test_the_neighbouring_ports_follow_port(layout: Layout) -> None:
    environment = build_environment(layout, {"PORT": "9100"}, settings=SETTINGS)
    assert (environment.web_port, environment.realtime_port, environment.sandbox_port) == (9100, 9101, 9102)
    assert environment.variables["STRIPE_API_HOST"] == "http://127.0.0.1:9102"


@pytest.mark.parametrize("port", ["http", "0", "-1", "65534", "8000.0", "٨٠٠٠x"])
def test_a_port_that_is_none_is_refused(layout: Layout, port: str) -> None:
    with pytest.raises(StartupError, match="PORT must be a number"):
        build_environment(layout, {"PORT": port}, settings=SETTINGS)


def test_urls_mean_the_same_to_the_settings_library(layout: Layout) -> None:
    variables = build_environment(layout, {}, settings=SETTINGS).variables
    database = environ.Env.db_url_config(variables["DATABASE_URL"])
    assert Path(unquote(database["HOST"])) == layout.postgres_socket_dir
    mail = environ.Env.email_url_config(variables["EMAIL_URL"])
    assert Path(mail["EMAIL_FILE_PATH"]) == layout.root / "mail"
    assert Path(urlsplit(variables["REDIS_URL"]).path) == layout.valkey_socket


def test_bytecode_that_may_not_lie_beside_the_sources_lies_in_the_data_directory(layout: Layout) -> None:
    unwanted = {"PYTHONDONTWRITEBYTECODE": "1"}
    variables = build_environment(layout, unwanted, settings=SETTINGS).variables
    assert "PYTHONDONTWRITEBYTECODE" not in variables
    assert Path(variables["PYTHONPYCACHEPREFIX"]).is_relative_to(layout.root)
    elsewhere = build_environment(layout, {**unwanted, "PYTHONPYCACHEPREFIX": "/elsewhere"}, settings=SETTINGS)
    assert elsewhere.variables["PYTHONPYCACHEPREFIX"] == "/elsewhere"
    assert "PYTHONPYCACHEPREFIX" not in build_environment(layout, {}, settings=SETTINGS).variables


def test_every_variable_that_is_set_is_explained(layout: Layout) -> None:
    explained = (REPOSITORY / ".env.example").read_text()
    variables = build_environment(layout, {}, settings=SETTINGS).variables
    assert [name for name in variables.keys() - os.environ.keys() if f"{name}=" not in explained] == []

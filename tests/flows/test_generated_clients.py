"""Clients that common generators make of the OpenAPI document work against the running product."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.fixtures.stack import Stack
from tests.fixtures.tenants import PASSWORD
from tests.flows.story import Person

BIN = Path(sys.executable).parent
SMOKE = """
import { ApiError, BearerAuth, Client, type Problem } from "./src/index.ts";

declare const process: { argv: string[] };
const [, , baseUrl, email, password, tenant] = process.argv;
const { access } = await new Client({ baseUrl }).signUpAndSignIn.authSigninCreate({ email, password, tenant });
const api = new Client({ baseUrl, auth: new BearerAuth(access) });
const made = await api.clients.clientsCreate({ name: "Ionian Yachts" }, { "Idempotency-Key": "typescript" });
const again = await api.clients.clientsCreate({ name: "Ionian Yachts" }, { "Idempotency-Key": "typescript" });
const listed = await api.clients.clientsList({ q: "ionian" });
const draft = await api.invoices.invoicesCreate({
  client_id: made.id,
  currency: "EUR",
  due_date: "2099-12-31",
  lines: [{ description: "Sails", quantity: "2", unit_price_minor: 5000 }],
});
const { number, total_minor } = await api.invoices.invoicesFinalize(draft.id);
let refused: string = "";
try {
  await api.clients.clientsRetrieve("00000000-0000-7000-8000-000000000000");
} catch (error) {
  refused = (error as ApiError<Problem>).body.code;
}
const names = listed.data.map((client) => client.name);
console.log(JSON.stringify({ same: made.id === again.id, names, number, total_minor, refused }));
"""


@pytest.fixture
def document(stack: Stack, tmp_path: Path) -> Path:
    """The document as the running product gives it."""
    accepts = {"Host": "localhost", "Accept": "application/vnd.oai.openapi+json"}
    file = tmp_path / "openapi.json"
    file.write_bytes(stack.http.get("/api/schema/", headers=accepts).raise_for_status().content)
    assert json.loads(file.read_bytes())["openapi"].startswith("3.1")
    return file


def run(*command: Any, cwd: Path, **variables: str) -> str:
    """Its output; it must succeed."""
    words = [str(part) for part in command]
    environment = {**os.environ, **variables}
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_a_python_client(
    stack: Stack, owner: Person, document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.yml").write_text("post_hooks: []\n")
    target = tmp_path / "made" / "insula_client"
    target.parent.mkdir()
    told = run(
        *(BIN / "openapi-python-client", "generate", "--path", document, "--config", tmp_path / "settings.yml"),
        *("--meta", "none", "--output-path", target),
        cwd=tmp_path,
    )
    assert "Warning" not in told and "Unable" not in told, told
    monkeypatch.syspath_prepend(str(target.parent))
    made = import_module("insula_client")
    models = import_module("insula_client.models")

    def call(name: str, client: Any, *arguments: Any, **named: Any) -> Any:
        return import_module(f"insula_client.api.{name}").sync(*arguments, client=client, **named)

    base_url = f"http://localhost:{stack.port}"
    body = models.SignInBodyRequest(email=owner.email, password=PASSWORD, tenant=owner.key)
    token = call("sign_up_and_sign_in.auth_signin_create", made.Client(base_url=base_url), body=body).access
    api = made.AuthenticatedClient(base_url=base_url, token=token, raise_on_unexpected_status=True)

    yachts = models.ClientBodyRequest(name="Ionian Yachts")
    first = call("clients.clients_create", api, body=yachts, idempotency_key="python")
    assert isinstance(first, models.ClientAnswer) and isinstance(first.id, UUID)
    assert call("clients.clients_create", api, body=yachts, idempotency_key="python").id == first.id
    assert [row.name for row in call("clients.clients_list", api, q="ionian").data] == ["Ionian Yachts"]
    refused = call("clients.clients_retrieve", api, uuid4())
    assert isinstance(refused, models.Problem)
    assert (refused.status, refused.code) == (404, "not_found")


def test_a_typescript_client(stack: Stack, owner: Person, document: Path, tmp_path: Path) -> None:
    """Made, checked by TypeScript's own compiler and run, by Deno: a wheel that holds both and needs no network."""
    folder = tmp_path / "made"
    run(BIN / "apiwright", "typescript", "-i", document, "-o", folder, cwd=tmp_path)
    assert "class ClientsApi" in (folder / "src" / "api" / "clients.ts").read_text()
    (folder / "smoke.ts").write_text(SMOKE)
    # As the client's own settings have it; Deno alone would ask for more than strict.
    settings = {"compilerOptions": {"strict": True, "noImplicitOverride": False}}
    (folder / "deno.json").write_text(json.dumps(settings))
    sealed = {"DENO_DIR": str(tmp_path / "deno"), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    may = ("--check", "--no-remote", "--no-npm", "--no-prompt", f"--allow-net=localhost:{stack.port}")
    arguments = (f"http://localhost:{stack.port}", owner.email, PASSWORD, owner.key)
    said = json.loads(run(BIN / "deno", "run", *may, "smoke.ts", *arguments, cwd=folder, **sealed))
    assert said == {
        "same": True,
        "names": ["Ionian Yachts"],
        "number": said["number"],
        "total_minor": 10000,
        "refused": "not_found",
    }
    assert said["number"]

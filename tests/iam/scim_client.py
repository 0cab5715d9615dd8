"""A directory's program: plain calls, and scim2-client over the WSGI application, on a tenant's host."""

import json
import random
from typing import Annotated, Any

from django.test import Client
from pydantic import Field
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import Mutability, Required, ScimProvider, Uniqueness

from apps.iam.scim import resources, tokens
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import actor_of


def token(tenant: TenantView, role: str = "OWNER") -> str:
    """The secret of a new token."""
    return tokens.create_token(actor=actor_of(tenant, role), name="Entra")[1]


class Directory:
    """Plain calls with a token, as a test writes them."""

    def __init__(self, tenant: TenantView, secret: str) -> None:
        self.client = Client(SERVER_NAME=tenant.host, raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """``directory("GET", "/Users")``: the answer, whose ``data`` is the JSON if there is any."""
        answer = self.client.generic(
            method,
            f"/scim/v2{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/scim+json",
            headers={**self.headers, **headers},
        )
        answer.data = json.loads(answer.content) if answer.content else None
        return answer

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        """A PATCH of these operations."""
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}
        return self("PATCH", path, body, **headers)

    def new_user(self, email: str, **values: Any) -> Any:
        """A POST of a user."""
        return self("POST", "/Users", {"schemas": [str(resources.User.__schema__)], "userName": email, **values})

    def new_group(self, name: str, *members: str) -> Any:
        """A POST of a group."""
        values = {"displayName": name, "members": [{"value": member} for member in members]}
        return self("POST", "/Groups", {"schemas": [str(resources.Group.__schema__)], **values})


def _application(client: Client) -> Any:
    """The product behind Django's test client, which leaves the test's transaction open between two calls."""

    gone: set[str] = set()

    def call(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        # The tester deletes all that it ever made after each of its checks.
        if environ["REQUEST_METHOD"] == "DELETE" and environ["PATH_INFO"] in gone:
            start_response("404 Not Found", [])
            return []
        if environ["REQUEST_METHOD"] == "DELETE":
            gone.add(environ["PATH_INFO"])
        names = {key[5:].replace("_", "-"): value for key, value in environ.items() if key.startswith("HTTP_")}
        answer = client.generic(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            environ["wsgi.input"].read(),
            content_type=environ.get("CONTENT_TYPE", resources.MEDIA_TYPE),
            headers={name: value for name, value in names.items() if name != "HOST"},
            QUERY_STRING=environ["QUERY_STRING"],
        )
        start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
        return [answer.content]

    return call


def conforming_client(tenant: TenantView) -> WSGISCIMClient:
    """What scim2-tester drives; it invents user names, which must be addresses of the tenant's domain."""

    class User(resources.User):
        user_name: Annotated[str | None, Uniqueness.server, Required.true, Mutability.immutable] = Field(
            None, examples=[f"{random.randbytes(6).hex()}@{tenant.slug}.test" for _ in range(3000)]
        )

    return WSGISCIMClient(
        _application(Client(SERVER_NAME=tenant.host, raise_request_exception=False)),
        f"http://{tenant.host}/scim/v2",
        headers={"Authorization": f"Bearer {token(tenant)}"},
        provider=ScimProvider(models=[User, resources.Group]),
    )

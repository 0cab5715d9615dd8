"""How the OpenAPI document describes our authentication."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Access tokens as HTTP bearer authentication."""

    target_class = "apps.iam.api.authentication.BearerAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The security scheme object."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}

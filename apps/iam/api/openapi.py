"""How the OpenAPI document describes our authentication."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, unannotated
    """Access tokens and API keys as HTTP bearer authentication."""

    target_class = "apps.iam.api.authentication.BearerAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The security scheme object."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT or ins_…",
            "description": (
                "An access token of a sign-in, or an API key (`ins_…`), which may do what its scopes and its maker's "
                "present permissions allow. A key that demands signed requests needs a message signature besides: RFC "
                "9421 over `@method`, `@target-uri` and, with a body, `content-digest` (RFC 9530), with `created`, "
                "`expires`, `nonce` and `keyid`."
            ),
        }

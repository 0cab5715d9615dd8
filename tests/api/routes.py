"""Every route of the REST API as its URLconf has it, with bodies that are accepted and what they speak of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.urls import URLPattern, URLResolver

from apps.core.rest.listing import Listing
from config.api import v1
from tests.api import matrix
from tests.fixtures.tenants import PASSWORD

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Parameters that are words of ours and no ids.
WORDS = {"kind": "invoice"}


@dataclass(frozen=True)
class Route:
    """One path; `template` has ``{name}`` where the URLconf has a converter."""

    name: str
    template: str
    methods: tuple[str, ...]
    parameters: tuple[str, ...]
    view: type[Any]
    listing: Listing | None

    def path(self, value: Any = None) -> str:
        """The path with `value` (an unknown id without one) for its parameter."""
        return self.template.format(**{name: value or WORDS.get(name) or uuid4() for name in self.parameters})

    @property
    def is_public(self) -> bool:
        """Whether it is open to everybody."""
        return matrix.API[self.methods[0], self.name] is matrix.EVERYBODY


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, prefix + str(pattern.pattern))
            continue
        names = tuple(pattern.pattern.converters)
        template = prefix + str(pattern.pattern)
        for name in names:
            start = template.index("<")
            template = f"{template[:start]}{{{name}}}{template[template.index('>') + 1 :]}"
        callback: Any = pattern.callback
        view, methods = callback.cls, tuple(method for method in METHODS if hasattr(callback.cls, method.lower()))
        listing = callback.initkwargs.get("listing", getattr(view, "listing", None))
        yield Route(str(pattern.name), template, methods, names, view, listing)


ROUTES = list(_walk(v1, "/api/v1/"))
BY_NAME = {route.name: route for route in ROUTES}
PROTECTED = [route for route in ROUTES if not route.is_public]
CALLS = [(method, route) for route in ROUTES for method in route.methods]

_LINE = {
    "description": "Sails",
    "item_type": "product",
    "quantity": "2",
    "unit_price_minor": 5000,
    "tax_rate": "19.00",
    "discount_minor": 0,
}
_CREDENTIALS = {"email": "owner@acme.test", "password": PASSWORD}
_CLIENT = {
    "name": "Ionian Yachts",
    "email": "ap@ionian.test",
    "phone": "1",
    "address": "Quay 1",
    "tax_id": "X1",
    "notes": "n",
    "locale": "en",
    "currency": "EUR",
}
_DRAFT = {
    "client_id": "",  # filled in by the test that needs one
    "currency": "EUR",
    "issue_date": "2026-01-01",
    "due_date": "2099-12-31",
    "lines": [_LINE],
    "discount_minor": 0,
    "notes": "n",
    "brand_id": None,
    "metadata": {"order": "7"},
}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "signup"): {
        **_CREDENTIALS,
        "email": "new@acme.test",
        "first_name": "N",
        "last_name": "N",
        "tenant_name": "New House",
    },
    ("POST", "discover"): _CREDENTIALS,
    ("POST", "signin"): {**_CREDENTIALS, "tenant": "acme"},
    ("POST", "refresh"): {"refresh": "x"},
    ("POST", "token"): {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "audience": "acme",
    },
    ("POST", "password-forgot"): {"email": "owner@acme.test"},
    ("POST", "password-reset"): {"token": "x", "password": "New-Password-1"},
    ("POST", "password-change"): {"current_password": PASSWORD, "new_password": "New-Password-1"},
    ("POST", "email-verify"): {"token": "x"},
    ("POST", "email-resend"): {"email": "owner@acme.test"},
    ("PATCH", "member"): {"roles": ["MEMBER"]},
    ("POST", "roles"): {"name": "Helpers", "permissions": ["invoices:read"]},
    ("PATCH", "role"): {"name": "Helpers", "permissions": ["invoices:read"]},
    ("POST", "member-ban"): {"reason": "r", "expires_at": "2099-01-01T00:00:00Z"},
    ("POST", "my-avatar"): {"content_type": "image/png", "size": 1000},
    ("POST", "my-avatar-confirm"): {"object_key": "tenants/x/avatars/uploads/x"},
    ("POST", "api-keys"): {
        "name": "Shop",
        "scopes": ["invoices:read"],
        "expires_at": "2099-01-01T00:00:00Z",
        "signature_algorithm": "hmac-sha256",
    },
    ("POST", "api-key-rotate"): {"overlap_seconds": 60},
    ("POST", "webhook-endpoints"): {
        "url": "https://hooks.acme.example/insula",
        "event_types": ["invoice.paid"],
        "description": "Books",
    },
    ("PATCH", "webhook-endpoint"): {"url": "https://hooks.acme.example/new", "event_types": ["invoice.*"]},
    ("POST", "webhook-endpoint-rotate-secret"): {"overlap_seconds": 60},
    ("POST", "webhook-endpoint-replay"): {"since": "2026-01-01T00:00:00Z", "only_dead": True},
    ("POST", "invitations"): {"email": "guest@acme.test", "role": "MEMBER"},
    ("POST", "invitation-accept"): {"password": PASSWORD, "first_name": "N", "last_name": "N"},
    ("POST", "confirm"): {"password": PASSWORD, "otp": "123456"},
    ("POST", "my-totp-confirm"): {"code": "123456"},
    ("POST", "my-passkeys"): {
        "ceremony": "01900000-0000-7000-8000-000000000000",
        "credential": {"id": "x", "response": {}},
        "name": "Key",
    },
    ("PATCH", "my-passkey"): {"name": "Key"},
    ("PUT", "tenant-mfa"): {"required": False, "grace_days": 7},
    ("PUT", "sso-connection"): {
        "name": "Acme ID",
        "issuer": "https://login.acme.example",
        "client_id": "insula",
        "client_secret": "s",
        "group_roles": {"books": "ACCOUNTANT"},
    },
    ("POST", "mail-domains"): {"domain": "acme.example"},
    ("POST", "scim-tokens"): {"name": "Entra"},
    ("PATCH", "directory-group"): {"role": "VIEWER"},
    ("PATCH", "me"): {"first_name": "N", "last_name": "N", "locale": "en"},
    ("PATCH", "tenant"): {"name": "Acme", "legal_name": "n", "currency": "EUR", "locale": "en", "time_zone": "UTC"},
    ("POST", "brand-list"): {"name": "Harbour", "accent": "#0f766e", "reply_to": "a@acme.test"},
    ("PATCH", "brand"): {"name": "Harbour", "is_default": True},
    ("PUT", "brand-logo"): {"content": "iVBORw0KGgo="},
    ("POST", "domain-list"): {"domain": "billing.acme.example"},
    ("PATCH", "domain"): {"is_primary": False},
    ("POST", "tax-id-list"): {"kind": "de_vat", "value": "DE136695976"},
    ("PATCH", "series"): {"pattern": "R-{year}-{seq:04}"},
    ("POST", "client-list"): _CLIENT,
    ("PATCH", "client"): _CLIENT,
    ("POST", "invoice-list"): _DRAFT,
    ("PATCH", "invoice"): {"notes": "n", "currency": "EUR", "due_date": "2099-12-31", "lines": [_LINE], "version": 1},
    ("POST", "invoice-payments"): {
        "amount_minor": 1,
        "method": "cash",
        "reference": "r",
        "paid_at": "2026-01-01T00:00:00Z",
    },
    ("POST", "payment-refunds"): {"amount_minor": 1, "reason": "duplicate"},
    ("PATCH", "notification-list"): {"is_read": True},
    ("PATCH", "notification-detail"): {"is_read": True},
}

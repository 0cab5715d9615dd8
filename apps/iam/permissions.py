"""The registry of permissions and what each role may do (PRODUCT, "What each role may do")."""

from collections.abc import Iterable

_READ = frozenset({"dashboard:read", "clients:read", "invoices:read", "recurring:read", "payments:read"})
_WORK = _READ | {"clients:write", "invoices:write", "recurring:write", "members:read"}
_MONEY = _WORK | {"invoices:void", "payments:write", "payments:refund", "ledger:read", "reports:read", "billing:read"}
_ADMINISTRATION = _MONEY | {
    "members:write",
    "roles:write",
    "sso:write",
    "scim:write",
    "settings:write",
    "brands:write",
    "api_keys:write",
    "webhooks:write",
    "audit:read",
    "audit:export",
}
_OWNERSHIP = _ADMINISTRATION | {
    "ledger:close",
    "billing:write",
    "tenant:suspend",
    "tenant:delete",
    "tenant:export",
    "ownership:transfer",
}

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    "OWNER": _OWNERSHIP,
    "ADMIN": _ADMINISTRATION,
    "ACCOUNTANT": _MONEY | {"ledger:close"},
    "MEMBER": _WORK,
    "VIEWER": _READ,
}
ALL: frozenset[str] = frozenset().union(*ROLE_PERMISSIONS.values())

# What governs people and the workspace, in contrast to its daily work and its books. Who holds less of it stands lower.
GOVERNING: frozenset[str] = _OWNERSHIP - _MONEY - {"ledger:close"}
# Ownership is transferred; it is not a permission to hand out.
CUSTOMISABLE: frozenset[str] = ALL - {"ownership:transfer"}
# What an operator in a member's name may not do: what hands out access, takes data away, or ends the workspace.
OWN_NAME_ONLY: frozenset[str] = frozenset(
    {
        *("ownership:transfer", "tenant:suspend", "tenant:delete", "tenant:export", "billing:write"),
        *("members:write", "roles:write", "sso:write", "scim:write", "api_keys:write", "webhooks:write"),
        "audit:export",
    }
)

PLATFORM_PERMISSIONS: dict[str, frozenset[str]] = {
    "PLATFORM_ADMIN": frozenset({"platform:read", "platform:write"}),
    "PLATFORM_SUPPORT": frozenset({"platform:read"}),
}


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Everything that the roles allow together; an unknown role allows nothing."""
    return frozenset().union(*(ROLE_PERMISSIONS.get(role, frozenset()) for role in roles))


def together(role: str, custom: Iterable[Iterable[str]]) -> frozenset[str]:
    """What a built-in role (or none) and the permissions of custom ones allow together; unknown words allow nothing."""
    return permissions_of((role,)) | (CUSTOMISABLE & {word for words in custom for word in words})


def roles_with(permission: str) -> frozenset[str]:
    """The built-in roles that hold `permission`."""
    return frozenset(role for role, held in ROLE_PERMISSIONS.items() if permission in held)

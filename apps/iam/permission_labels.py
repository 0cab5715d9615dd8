"""The permissions in the words of people, in groups, as pages show them."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GROUPS: list[tuple[str | Promise, list[tuple[str, str | Promise]]]] = [
    (
        _("Daily work"),
        [
            ("dashboard:read", _("See the dashboard")),
            ("clients:read", _("See clients")),
            ("clients:write", _("Add and change clients")),
            ("invoices:read", _("See invoices")),
            ("invoices:write", _("Write and send invoices")),
            ("recurring:read", _("See recurring invoices")),
            ("recurring:write", _("Set up recurring invoices")),
            ("payments:read", _("See payments")),
        ],
    ),
    (
        _("Money and books"),
        [
            ("invoices:void", _("Void invoices and write them off")),
            ("payments:write", _("Record payments")),
            ("payments:refund", _("Refund payments")),
            ("ledger:read", _("See the ledger")),
            ("ledger:close", _("Close and reopen periods")),
            ("reports:read", _("See reports")),
            ("billing:read", _("See the plan and its invoices")),
            ("billing:write", _("Change the plan and how it is paid")),
        ],
    ),
    (
        _("People"),
        [
            ("members:read", _("See members")),
            ("members:write", _("Invite, ban and remove members, give roles")),
            ("roles:write", _("Make and change roles")),
            ("sso:write", _("Set up single sign-on")),
            ("scim:write", _("Set up automatic provisioning")),
        ],
    ),
    (
        _("Workspace"),
        [
            ("settings:write", _("Change settings")),
            ("brands:write", _("Change brands")),
            ("api_keys:write", _("Make API keys")),
            ("webhooks:write", _("Set up webhooks")),
            ("audit:read", _("See the audit trail")),
            ("audit:export", _("Export the audit trail")),
            ("tenant:export", _("Export all data")),
            ("tenant:suspend", _("Suspend and reactivate the workspace")),
            ("tenant:delete", _("Delete the workspace")),
            ("ownership:transfer", _("Own the workspace and transfer it")),
        ],
    ),
]
_LABELS = {name: label for _group, rows in GROUPS for name, label in rows}


def in_words(permissions: Iterable[str]) -> str:
    """The permissions as people read them, in the order of the pages."""
    wanted = set(permissions)
    return ", ".join(str(label) for name, label in _LABELS.items() if name in wanted)

"""Which state of a tenant may follow which (PRODUCT, tenancy)."""

from apps.core.errors import IllegalState
from apps.tenancy.models import TenantStatus as S

TRANSITIONS: dict[str, frozenset[str]] = {
    S.PROVISIONING: frozenset({S.ACTIVE, S.PROVISIONING_FAILED}),
    S.PROVISIONING_FAILED: frozenset({S.PROVISIONING, S.DELETED}),
    S.ACTIVE: frozenset({S.SUSPENDED, S.DELETED}),
    S.SUSPENDED: frozenset({S.ACTIVE, S.DELETED}),
    S.DELETED: frozenset(),
}
_ACTION = {
    S.ACTIVE: "reactivate",
    S.SUSPENDED: "suspend",
    S.DELETED: "delete",
    S.PROVISIONING: "retry-provisioning",
}


def allowed_actions(status: str) -> list[str]:
    """The actions that people may take in `status`; provisioning itself is nobody's action.

    A deleted tenant goes back to the state that it had (``deleting.restore_tenant``), which no transition here allows.
    """
    if status == S.PROVISIONING:
        return []
    if status == S.DELETED:
        return ["restore"]
    return sorted(_ACTION[S(after)] for after in TRANSITIONS[status])


def check(before: str, after: str) -> None:
    """Refuse a transition that the table does not hold.

    Raises:
        IllegalState: with the actions that are allowed instead.
    """
    if after not in TRANSITIONS[before]:
        raise IllegalState(
            f"A workspace that is {before.lower()} cannot become {after.lower()}.",
            allowed_actions=allowed_actions(before),
        )

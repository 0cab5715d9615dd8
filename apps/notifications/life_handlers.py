"""What people hear when the state of their workspace changes: open pages at once, the owner by mail."""

from collections.abc import Callable

from apps.core.events import subscribe
from apps.core.tenants import public_scope
from apps.iam import restoring
from apps.iam import selectors as iam
from apps.iam.selectors import MemberView
from apps.notifications import life_letters, push, services
from apps.notifications.posting import post
from apps.notifications.services import Letter
from apps.tenancy import deleting
from apps.tenancy import selectors as tenancy
from apps.tenancy.events import TenantStatusChanged
from apps.tenancy.selectors import TenantStatus


@subscribe(TenantStatusChanged)
def tell_of_state(event: TenantStatusChanged) -> None:
    """Suspended, active again, deleted; preparing a workspace is told elsewhere."""
    compose = _letters(event)
    if compose is None:
        return
    with public_scope():
        push.poke(event.tenant_id, [member.user_id for member in iam.members_with(event.tenant_id, "dashboard:read")])
        for owner in iam.members_with(event.tenant_id, "tenant:delete"):
            key = f"tenant.{event.after.lower()}:{owner.user_id}:{services.change_key()}"
            post(compose(owner), key, tenant_id=event.tenant_id)


def _letters(event: TenantStatusChanged) -> Callable[[MemberView], Letter] | None:
    with public_scope():
        tenant = tenancy.tenant_by_id(event.tenant_id)
        if event.after == TenantStatus.SUSPENDED:
            reason = tenancy.suspension(tenant.id).reason
            return lambda owner: life_letters.suspended(owner, tenant, reason=reason)
        if event.after == TenantStatus.DELETED:
            purge_after = deleting.deletion(tenant.id).purge_after
            return lambda owner: life_letters.deleted(
                owner,
                tenant,
                purge_after=purge_after,
                link=restoring.restore_link(tenant_id=tenant.id, user_id=owner.user_id),
            )
        if event.after == TenantStatus.ACTIVE and event.before != TenantStatus.PROVISIONING:
            return lambda owner: life_letters.reactivated(owner, tenant)
    return None

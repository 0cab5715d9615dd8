"""The link by which an owner brings a deleted workspace back: signed, and good for that one deletion."""

from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from apps.core.actor import Actor, Origin
from apps.core.errors import IllegalState, NotFound
from apps.iam import selectors
from apps.tenancy import deleting
from apps.tenancy.deleting import DeletionView

_SALT = "iam.restore"


def restore_link(*, tenant_id: UUID, user_id: UUID) -> str:
    """The address of the page on the platform's host that restores the tenant on this person's behalf.

    Raises:
        NotFound: the tenant is not deleted.
    """
    found = deleting.deletion(tenant_id)
    token = signing.dumps([str(tenant_id), str(user_id), found.deleted_at.timestamp()], salt=_SALT)
    path = reverse("restore", urlconf=settings.ROOT_URLCONF, args=[token])
    return f"{settings.PLATFORM_URL}{path}"


def deletion_of_link(token: str) -> DeletionView:
    """The deletion that a link undoes.

    Raises:
        NotFound: no link of ours, or of a deletion that is over: undone, or done for good.
    """
    return _read(token)[0]


def restore_by_link(*, token: str, origin: Origin) -> DeletionView:
    """Restore the tenant as the owner to whom the link was sent.

    Raises:
        NotFound: as `deletion_of_link`; or the person is not the owner any more.
        IllegalState: the time is over.
    """
    found, user_id = _read(token)
    actor: Actor | None = selectors.actor_for_member(user_id, found.tenant_id, origin)
    if actor is None or not actor.may("tenant:delete"):
        raise NotFound("This link is not valid any more.")
    if not found.is_restorable:
        raise IllegalState("The time to restore this workspace is over.", allowed_actions=[])
    deleting.restore_tenant(actor=actor, tenant_id=found.tenant_id, reason="")
    return found


def _read(token: str) -> tuple[DeletionView, UUID]:
    try:
        tenant_id, user_id, deleted_at = signing.loads(token, salt=_SALT)
    except signing.BadSignature as error:
        raise NotFound("This link is not valid.") from error
    found = deleting.deletion(UUID(tenant_id))
    if found.deleted_at.timestamp() != deleted_at:
        raise NotFound("This link is of an earlier deletion.")
    return found, UUID(user_id)

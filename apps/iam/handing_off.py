"""Who proved himself on one host signs in on another: handovers bound to the browser, good once."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.core import ids
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.tenants import public_scope
from apps.iam import entering, factors, signins
from apps.iam.errors import AccountInactive, InvalidToken, MfaRequired
from apps.iam.identity import Identity
from apps.iam.models import Channel, SessionHandoff, User
from apps.iam.proofs import Proof
from apps.tenancy import selectors as tenancy_selectors
from apps.tenancy.selectors import TenantView

HANDOFF_LIFETIME = timedelta(seconds=60)

_REDEEM = """
UPDATE public.iam_session_handoff SET used_at = %(now)s
 WHERE digest = %(digest)s AND browser_digest = %(browser)s AND tenant_id = %(tenant)s
   AND used_at IS NULL AND expires_at > %(now)s
RETURNING next_path, methods, proved_at, strong_at
"""


def enter_by_browser(*, user_id: UUID, tenant_id: UUID, proof: Proof, origin: Origin) -> Identity:
    """Sign a browser in on a tenant's host, whose person gave `proof` there a moment ago.

    The caller puts it into the session.

    Raises:
        MfaRequired: the person has a second factor, and has not shown it.
        InvalidToken: the password was changed, a second factor removed or everything signed out since then.
        NotAMember, TenantNotAvailable, AccountInactive: as `sign_in`.
    """
    with public_scope(), transaction.atomic():
        user = User.objects.locked(user_id)
        _require_sound(user, proof)
        target = entering.enterable(user, tenancy_selectors.tenant_by_id(tenant_id))
        return entering.start(user, target, Channel.BROWSER, origin, proof=proof)


def workspace_to_enter(*, user_id: UUID, tenant: str) -> TenantView:
    """The tenant with this key or slug, if the person may be handed over to it.

    Raises:
        NotAMember, TenantNotAvailable, AccountInactive: as `sign_in`.
    """
    with public_scope():
        user = User.objects.get(pk=user_id)
        if not user.may_sign_in:
            raise AccountInactive
        return entering.named_workspace(user, tenant)


def hand_off(
    *, user_id: UUID, tenant: str, browser: str, proof: Proof, next_path: str = "/", family_id: UUID | None = None
) -> tuple[TenantView, str]:
    """A token that signs one browser of this person in on a tenant's host, once and within a minute.

    `tenant` is a key or a slug; `browser` the digest of the secret that the tenant's host gave to the browser. The
    caller has checked who the person is: by the session `family_id`, whose `proof` goes along, or by a fresh proof.

    Raises:
        NotAMember, TenantNotAvailable, AccountInactive: as `sign_in`.
        InvalidToken: the session has ended.
        MfaRequired, InvalidToken: as `enter_by_browser`, for a fresh proof.
    """
    target = workspace_to_enter(user_id=user_id, tenant=tenant)
    with public_scope(), transaction.atomic():
        if family_id is None:
            user = User.objects.locked(user_id)
            _require_sound(user, proof)
        else:
            user = signins.locked_person_of(family_id, user_id)
        token = ids.secret_token()
        SessionHandoff.objects.create(
            user=user,
            tenant_id=target.id,
            digest=ids.token_digest(token),
            browser_digest=browser,
            next_path=next_path[:500],
            methods=list(proof.methods),
            proved_at=proof.proved_at,
            strong_at=proof.strong_at,
            expires_at=utcnow() + HANDOFF_LIFETIME,
        )
        return target, token


def redeem_handoff(
    *, token: str, browser_secret: str, tenant_id: UUID, origin: Origin, now: datetime | None = None
) -> tuple[Identity, str]:
    """Sign a browser in by its handoff token; returns who it is and the path to go to.

    Raises:
        InvalidToken: unknown, expired, used before, another tenant's, or another browser's.
        MfaRequired: the person has a second factor by now, and has not shown it.
        NotAMember, TenantNotAvailable, AccountInactive: as `sign_in`.
    """
    values: dict[str, datetime | str | UUID] = {
        "now": now or utcnow(),
        "digest": ids.token_digest(token),
        "browser": ids.token_digest(browser_secret),
        "tenant": tenant_id,
    }
    refusal = InvalidToken(_("This sign-in link was used or has expired."))
    with public_scope(), transaction.atomic():
        # First the person, then his handovers: in the order of who ends them.
        waiting = SessionHandoff.objects.filter(digest=values["digest"], used_at=None)
        user = User.objects.select_for_update().filter(pk__in=waiting.values("user_id")).first()
        with connection.cursor() as cursor:
            cursor.execute(_REDEEM, values)
            row = cursor.fetchone()
        if user is None or row is None:
            raise refusal
        if not user.may_sign_in:
            raise AccountInactive
        target = entering.enterable(user, tenancy_selectors.tenant_by_id(tenant_id))
        next_path, methods, proved_at, strong_at = row
        proof = Proof(tuple(methods), proved_at, strong_at)
        return entering.start(user, target, Channel.BROWSER, origin, proof=proof), next_path


def _require_sound(user: User, proof: Proof) -> None:
    if not user.may_sign_in:
        raise AccountInactive
    if signins.is_overtaken(user, proof):
        raise InvalidToken(_("Sign in again."))
    if proof.strong_at is None and factors.has_any(user.id):
        raise MfaRequired(methods=list(factors.of(user.id).methods))

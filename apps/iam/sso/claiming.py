"""An account that somebody opened with an address which he never proved to read.

Whoever proved the domain, or reads the address's mail, now says whose it is. What the opener could come back with
(password, second factors, API keys, sessions) ends before the right person gets the account: otherwise he would be in
his workspace, too.
"""

from django.contrib.auth.hashers import make_password

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.iam import api_keys, signins
from apps.iam.factor_models import AuthenticatorApp, Passkey, RecoveryCode
from apps.iam.models import Membership, User


def claim_unproved(user: User, actor: Actor) -> None:
    """Make an account that was never verified its address's; nothing happens to others. In the caller's transaction."""
    if user.email_verified_at is not None:
        return
    now = utcnow()
    user.password, user.email_verified_at = make_password(None), now
    user.save(update_fields=["password", "email_verified_at", "updated_at"])
    for factor in (AuthenticatorApp, RecoveryCode, Passkey):
        factor.objects.filter(user_id=user.id).delete()
    for tenant_id in Membership.objects.filter(user=user).values_list("tenant_id", flat=True):
        api_keys.revoke_keys_of(tenant_id=tenant_id, user_id=user.id, reason="claimed")
    signins.end_all(user, "claimed", now=now)
    audit.record(
        actor=actor,
        action="iam.user.claim",
        entity_type="user",
        entity_id=user.id,
        entity_label=user.email,
        after={"email": user.email},
        severity=Severity.HIGH,
    )

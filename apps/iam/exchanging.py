"""Token exchange (RFC 8693): from a sign-in to one workspace to a sign-in to another of the same person's."""

from django.db import transaction

from apps.core.actor import Origin
from apps.core.errors import PermissionRefused
from apps.core.tenants import public_scope
from apps.iam import entering, mfa_policy, selectors, signins
from apps.iam.proofs import Proof
from apps.iam.signins import TokenPair
from apps.iam.sso import enforcing
from apps.tenancy.errors import TenantNotAvailable

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a kind


def exchange_token(*, subject_token: str, audience: str, origin: Origin) -> TokenPair:
    """A new sign-in to the workspace with the key or slug `audience`; the one that the token is of goes on.

    How the person showed who he is goes along with its time, so that an exchange proves nothing anew.

    Raises:
        InvalidToken: not a valid access token of ours, expired, or revoked.
        PermissionRefused: the token is of somebody who acts in another's name.
        NotAMember: no active membership there, or no such workspace.
        TenantNotAvailable: the workspace is not active.
        MfaDemanded: it demands a second factor, and the sign-in showed none.
        MfaRequired: the person has a second factor, and the sign-in showed none.
        FederatedSession: another workspace's provider vouched for the person, which counts there alone.
    """
    found = selectors.identity_of_token(subject_token, origin)
    if found.actor.impersonator_id is not None or found.actor.user_id is None:
        raise PermissionRefused("This token is good in its own workspace only.")
    enforcing.require_own_sign_in(found.actor)
    proof = Proof(found.methods, found.proved_at or found.last_seen_at, found.strong_at).own()
    with public_scope(), transaction.atomic():
        user = signins.locked_person_of(found.family_id, found.actor.user_id)
        target = entering.named_workspace(user, audience)
        if not target.is_active:
            raise TenantNotAvailable
        mfa_policy.require_strength(user_id=user.id, tenant_id=target.id, proof=proof)
        return entering.pair_for(user, target, origin, proof=proof)

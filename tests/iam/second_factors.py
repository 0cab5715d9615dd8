"""People with second factors, made through the services."""

from dataclasses import dataclass
from uuid import UUID

from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.iam import authenticators, passkeys, selectors, totp
from apps.iam.models import TokenFamily
from apps.tenancy.selectors import TenantView
from tests.factories.iam import person
from tests.iam.authenticator import Authenticator

ORIGIN = "http://localhost"


@dataclass
class Enrolled:
    """A member with an authenticator app and ten recovery codes."""

    id: UUID
    email: str
    seed: str
    recovery_codes: list[str]

    def code(self, ahead: int = 1) -> str:
        """A code that was not used yet: the one of confirming was this step's, so `ahead` steps later."""
        return totp.code_at(self.seed, totp.step_at(utcnow()) + ahead)


def enrolled(tenant: TenantView, role: str = "MEMBER") -> Enrolled:
    """One more member of `tenant`, with an app."""
    user_id, email = person(tenant, role)
    return enrol(tenant, user_id, email)


def enrol(tenant: TenantView, user_id: UUID, email: str) -> Enrolled:
    """Give a member an app, confirmed by the code before this moment's.

    His last sign-in goes on with what it had shown, as one that began at the same moment does.
    """
    actor = selectors.actor_for_member(user_id, tenant.id, Origin())
    assert actor is not None
    seed = authenticators.begin(actor=actor).seed
    code = totp.code_at(seed, totp.step_at(utcnow()) - 1)
    here = TokenFamily.objects.filter(user_id=user_id, revoked_at=None).order_by("-pk").first()
    codes = authenticators.confirm(actor=actor, family_id=here.pk if here else None, code=code)
    if here:
        here.save(update_fields=["methods", "proved_at", "strong_at"])
    return Enrolled(user_id, email, seed, codes)


def with_passkey(tenant: TenantView, role: str = "MEMBER", origin: str = ORIGIN) -> tuple[UUID, str, Authenticator]:
    """One more member of `tenant`, with a passkey in software."""
    user_id, email = person(tenant, role)
    actor = selectors.actor_for_member(user_id, tenant.id, Origin())
    assert actor is not None
    device = Authenticator(origin=origin)
    begun = passkeys.begin_registration(actor=actor, bound_to="here", host=device.origin)
    passkeys.finish_registration(
        actor=actor,
        family_id=None,
        ceremony=UUID(begun["ceremony"]),
        bound_to="here",
        credential=device.create(begun["options"]),
        name="Test key",
    )
    return user_id, email, device

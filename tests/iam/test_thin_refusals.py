"""Whatever makes the long way refuse makes the short way refuse at the very next request, alone and in company."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.test import override_settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.iam import api_keys, key_secrets, services, signing
from apps.iam.api_key_models import ApiKey
from apps.iam.factor_models import MfaPolicy
from apps.iam.keys import keys, settings_key
from apps.iam.models import Channel, Membership, MembershipStatus, PlatformRole, TokenFamily, User
from apps.iam.role_models import CustomRole, RoleGrant
from apps.iam.signing_models import SigningKey
from apps.tenancy.models import Tenant, TenantStatus
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import PASSWORD, NewTenant, actor_of, in_tenant
from tests.iam.test_thin_reads import LIST, changed, is_short

Fact = Callable[["Caller"], AbstractContextManager[Any]]
OF_ONE_ANSWER = ("correlation_id", "trace_id")


class Caller:
    """A program of a member, by his sign-in or by his key, and the rows that decide about it."""

    def __init__(self, tenant: TenantView, credentials: str, key: str = "") -> None:
        self.tenant, self.credentials = tenant, credentials
        self.user = User.objects.get(email=f"member@{tenant.slug}.test")
        self.person, self.tenants = User.objects.filter(pk=self.user.pk), Tenant.objects.filter(pk=tenant.id)
        self.families = TokenFamily.objects.filter(user=self.user)
        self.members = Membership.objects.filter(user=self.user, tenant_id=tenant.id)
        self.keys = ApiKey.objects.filter(hint=key_secrets.hint_of(key)) if key else ApiKey.objects.none()
        self.host = settings.PLATFORM_HOST
        self.known = self.client()

    def client(self) -> APIClient:
        """A client whose server has learned no way yet."""
        made = APIClient(SERVER_NAME=self.host, raise_request_exception=False)
        made.credentials(HTTP_AUTHORIZATION=self.credentials)
        return made


def row_of(rows: str, **values: Any) -> Fact:
    """Other values in some of the caller's rows; a function gives one at the moment of asking."""

    def change(caller: Caller) -> AbstractContextManager[Any]:
        now = {name: value() if callable(value) else value for name, value in values.items()}
        return changed(getattr(caller, rows).all(), **now)

    return change


def installed(**values: Any) -> Fact:
    """Other settings."""
    return lambda _caller: override_settings(**values)


@contextmanager
def policy(caller: Caller, *, is_due: bool) -> Iterator[None]:
    """The workspace demands a second factor, whose time has come or not."""
    required_at = utcnow() - timedelta(days=3000)
    own, terms = MfaPolicy.objects.filter(pk=caller.tenant.id), {"grace_days": 0 if is_due else 90}
    _row, is_new = own.get_or_create(pk=caller.tenant.id, defaults={"required_at": required_at, **terms})
    with changed(own, **terms), changed(caller.members, created_at=required_at if is_due else utcnow()):
        try:
            yield
        finally:
            if is_new:
                own.delete()


@contextmanager
def custom_role(caller: Caller, *permissions: str) -> Iterator[None]:
    """A role of the workspace's own in place of the built-in one."""
    role = CustomRole.objects.create(tenant_id=caller.tenant.id, name=uuid4().hex, permissions=list(permissions))
    grant = RoleGrant.objects.create(tenant_id=caller.tenant.id, membership=caller.members.get(), role=role)
    with changed(caller.members, role=""):
        try:
            yield
        finally:
            grant.delete()
            role.delete()


@contextmanager
def impersonated(caller: Caller, role: str) -> Iterator[None]:
    """Somebody else stands behind the sign-in."""
    other = User.objects.create(email=f"{uuid4().hex}@operators.test", platform_role=role)
    with changed(caller.families, impersonator_id=other.pk):
        try:
            yield
        finally:
            other.delete()


@contextmanager
def leaked_key(_caller: Caller) -> Iterator[None]:
    """What signed the token leaked."""
    operator = Actor(ActorKind.OPERATOR, permissions=frozenset({"platform:write"}))
    signing.replace_leaked_key(actor=operator, kid=settings_key()[0])
    try:
        yield
    finally:
        SigningKey.objects.all().delete()
        keys.forget()


@contextmanager
def alone(caller: Caller, *, is_default: bool) -> Iterator[None]:
    """The installation serves one workspace alone: the caller's, or none yet."""
    with changed(caller.tenants, is_default=is_default), override_settings(ROLLOUT_MODE="SINGLE_TENANT"):
        yield


# What is so, and what it makes of the answers to a sign-in and to a key.
FACTS: dict[str, tuple[Fact, int, int]] = {
    "sign-in revoked": (row_of("families", revoked_at=utcnow), 401, 200),
    "sign-in over": (row_of("families", ends_at=utcnow), 401, 200),
    "sign-in a browser's": (row_of("families", channel=Channel.BROWSER), 401, 200),
    "sign-in strong": (row_of("families", strong_at=utcnow), 200, 200),
    "sign-in vouched for": (row_of("families", methods=["fed"]), 200, 200),
    "in an operator's hand": (lambda caller: impersonated(caller, PlatformRole.PLATFORM_ADMIN), 200, 200),
    "in a former operator's hand": (lambda caller: impersonated(caller, ""), 401, 200),
    "signed out everywhere": (row_of("person", tokens_valid_after=lambda: utcnow() + timedelta(minutes=1)), 401, 200),
    "account off": (row_of("person", is_active=False), 401, 401),
    "banned": (row_of("person", banned_at=utcnow, banned_until=None), 401, 401),
    "ban over": (row_of("person", banned_at=utcnow, banned_until=utcnow), 200, 200),
    "temporary password": (row_of("person", must_change_password=True), 403, 200),
    "address not confirmed": (row_of("person", email_verified_at=None), 200, 200),
    "member banned": (row_of("members", status=MembershipStatus.BANNED, banned_until=None), 401, 401),
    "member's ban over": (row_of("members", status=MembershipStatus.BANNED, banned_until=utcnow), 200, 200),
    "member removed": (row_of("members", status=MembershipStatus.REMOVED), 401, 401),
    "no role": (row_of("members", role=""), 403, 403),
    "a role that looks": (row_of("members", role="VIEWER"), 200, 200),
    "a role of its own that may": (lambda caller: custom_role(caller, "invoices:read"), 200, 200),
    "a role of its own that may not": (lambda caller: custom_role(caller, "clients:read", "nonsense"), 403, 403),
    "a second factor is due": (lambda caller: policy(caller, is_due=True), 403, 200),
    "a second factor is not due yet": (lambda caller: policy(caller, is_due=False), 200, 200),
    "key revoked": (row_of("keys", revoked_at=utcnow), 200, 401),
    "key over": (row_of("keys", expires_at=utcnow), 200, 401),
    "key not over yet": (row_of("keys", expires_at=lambda: utcnow() + timedelta(minutes=9)), 200, 200),
    "key may not": (row_of("keys", scopes=["clients:read"]), 200, 403),
    "key may nothing": (row_of("keys", scopes=[]), 200, 403),
    "key another": (row_of("keys", digest="0" * 64), 200, 401),
    "key not noted": (row_of("keys", last_used_at=lambda: utcnow() - timedelta(minutes=2)), 200, 200),
    "workspace suspended": (row_of("tenants", status=TenantStatus.SUSPENDED), 200, 200),
    "workspace deleted": (row_of("tenants", status=TenantStatus.DELETED), 403, 403),
    "workspace in the making": (row_of("tenants", status=TenantStatus.PROVISIONING), 403, 403),
    "workspace not made": (row_of("tenants", status=TenantStatus.PROVISIONING_FAILED), 403, 403),
    "another workspace alone": (lambda caller: alone(caller, is_default=False), 403, 403),
    "this workspace alone": (lambda caller: alone(caller, is_default=True), 200, 200),
    "another issuer": (installed(JWT_ISSUER="https://elsewhere.example"), 401, 200),
    "another audience": (installed(JWT_AUDIENCE="elsewhere"), 401, 200),
    "another pepper": (installed(API_KEY_PEPPERS=["0123456789abcdef0123456789abcdef"]), 200, 401),
    "another platform": (installed(PLATFORM_HOST="elsewhere.example"), 404, 404),
}


def callers(tenant: TenantView) -> list[Caller]:
    """A member's sign-in and a member's key."""
    email = f"member@{tenant.slug}.test"
    token = services.sign_in(email=email, password=PASSWORD, tenant=tenant.key, origin=Origin()).access
    with in_tenant(tenant):
        made = api_keys.create_api_key(actor=actor_of(tenant, "ADMIN"), name="Reader", scopes=["invoices:read"])
    ApiKey.objects.filter(pk=made.key.pk).update(user=User.objects.get(email=email))
    return [Caller(tenant, f"Bearer {token}"), Caller(tenant, f"Bearer {made.secret}", made.secret)]


def answers_of(caller: Caller, facts: list[Fact]) -> tuple[int, int]:
    """The status by either way while all of these hold; what else the answers say is the same."""
    for _attempt in ("to learn it", "to go it"):
        answer = caller.known.get(LIST)
    assert is_short(answer)
    with ExitStack() as held:
        for fact in facts:
            held.enter_context(fact(caller))
        known, fresh = caller.known.get(LIST), caller.client().get(LIST)
    said = [
        {name: value for name, value in answer.json().items() if name not in OF_ONE_ANSWER} for answer in (known, fresh)
    ]
    assert said[0] == said[1]
    return known.status_code, fresh.status_code


def test_each_reason_to_refuse_refuses_at_the_next_request(committed: NewTenant) -> None:
    by_token, by_key = callers(committed("Each reason"))
    for name, (fact, of_token, of_key) in FACTS.items():
        assert answers_of(by_token, [fact]) == (of_token, of_token), name
        assert answers_of(by_key, [fact]) == (of_key, of_key), name
    assert answers_of(by_token, [leaked_key]) == (401, 401)


def test_reasons_in_company_are_answered_alike(committed: NewTenant) -> None:
    both = callers(committed("In company"))

    @hypothesis_settings(max_examples=40, deadline=None, database=None, derandomize=True)
    @given(st.sampled_from(both), st.lists(st.sampled_from(sorted(FACTS)), min_size=2, max_size=4, unique=True))
    def alike(caller: Caller, names: list[str]) -> None:
        known, fresh = answers_of(caller, [FACTS[name][0] for name in names])
        assert known == fresh

    alike()

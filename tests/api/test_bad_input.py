"""Unknown ids, methods and credentials at whatever route: a clear refusal in one shape, never an error of ours."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.clock import utcnow
from apps.iam import api_keys, tokens
from apps.iam import services as iam
from apps.iam.factor_models import Passkey
from apps.iam.models import Membership, TokenFamily
from apps.iam.scim import tokens as scim_tokens
from apps.iam.scim.models import DirectoryGroup
from apps.iam.sso import mail_domains
from apps.ledger.models import Entry
from apps.notifications import services as notifications
from apps.notifications.models import Notification, NotificationKind
from apps.notifications.services import Recipient, Text
from apps.payments.models import Payment
from apps.tenancy import brands, domains, tax_ids
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem, send
from tests.api.routes import BODIES, CALLS, METHODS, PROTECTED, ROUTES, WORDS
from tests.api.test_pages import finished_export
from tests.factories import invoices as invoice_factory
from tests.factories import payments as payment_factory
from tests.factories.webhooks import deliveries, make_endpoint
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import actor_of, in_tenant


@pytest.fixture
def belongings(globex: TenantView, db: None) -> dict[str, UUID]:
    """One object of each kind that belongs to Globex, by the name of the route's parameter."""
    owner = actor_of(globex)
    endpoint = make_endpoint(globex, event_types=["client.created"]).endpoint
    with in_tenant(globex):
        invoice = invoice_factory.make_open(owner)
        entry = Entry.objects.latest("created_at")
        brand = brands.create_brand(actor=owner, values={"name": "Theirs"})
        claim = domains.add_domain(actor=owner, domain="theirs.example")
        number = tax_ids.add_tax_id(actor=owner, kind="other", value="7")
    payment_factory.make_manual(globex, paid_at=utcnow())
    with in_tenant(globex):
        payment = Payment.objects.latest("created_at")
        notifications.notify(
            tenant_id=globex.id,
            recipients=[Recipient(owner.user_id, "en")],
            kind=NotificationKind.WELCOME,
            dedupe_key="bad-input",
            text=lambda: Text("Welcome", ""),
        )
    passkey = Passkey(
        user_id=actor_of(globex, "VIEWER").user_id, name="Theirs", credential_id=b"bad-input", public_key=b"k"
    )
    passkey.save(force_insert=True)
    group = DirectoryGroup.objects.create(tenant_id=globex.id, display_name="Theirs")
    role = iam.create_role(actor=owner, name="Theirs", permissions=["invoices:read"])
    key = api_keys.create_api_key(actor=owner, name="Theirs", scopes=["invoices:read"]).key
    token, _secret = scim_tokens.create_token(actor=owner, name="Theirs")
    mail_domain = mail_domains.add_domain(actor=owner, domain="theirs.mail.example")
    return {
        "kind": uuid4(),
        "passkey_id": passkey.id,
        "group_id": group.id,
        "role_id": UUID(role.id),
        "key_id": key.id,
        "scim_token_id": token.id,
        "mail_domain_id": mail_domain.id,
        "endpoint_id": endpoint.id,
        "delivery_id": deliveries(globex, endpoint_id=endpoint.id)[0].id,
        "job_id": finished_export(globex),
        "brand_id": brand.id,
        "claim_id": claim.id,
        "tax_id": number.id,
        "client_id": invoice.client.id,
        "invoice_id": invoice.id,
        "payment_id": payment.id,
        "entry_id": entry.id,
        "membership_id": Membership.objects.get(tenant_id=globex.id, user__email="viewer@globex.test").id,
        "session_id": TokenFamily.objects.create(
            user=Membership.objects.filter(tenant_id=globex.id)[0].user,
            tenant_id=globex.id,
            channel="API",
            started_at=utcnow(),
            last_seen_at=utcnow(),
        ).id,
        "invitation_id": iam.invite(actor=actor_of(globex), email="guest@globex.test").id,
        "notification_id": Notification.objects.get(dedupe_key="bad-input").id,
        "audit": AuditEntry.objects.filter(tenant_id=globex.id).latest("id").id,
    }


WITH_ID = [(method, route) for method, route in CALLS if route.parameters and not route.is_public]


def _without_echo(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name not in ("instance", "correlation_id")}


def test_the_id_of_another_tenants_object_is_as_unknown_as_one_that_never_was(
    client: APIClient, globex: TenantView, api: ApiFor, belongings: dict[str, UUID]
) -> None:
    assert belongings.keys() - {"audit"} == {name for _, route in WITH_ID for name in route.parameters}
    theirs = api(globex)
    for method, route in WITH_ID:
        kind = "audit" if route.name.startswith("audit") else route.parameters[0]
        body = BODIES.get((method, route.name), {})
        foreign = send(client, method, route.path(belongings[kind]), body)
        unknown = send(client, method, route.path(uuid4()), body)
        problem(foreign, 404)
        assert _without_echo(foreign) == _without_echo(unknown), route.name
        if method == "GET" and kind not in WORDS:
            # It is there, for whom it belongs to.
            assert theirs.get(route.path(belongings[kind])).status_code == 200, route.name


@pytest.mark.parametrize("wrong", ["0", "not-a-uuid", "%00", "..", "0" * 500, "%F0%9F%92%A9", "1;drop table x"])
def test_what_is_no_id_is_not_found(client: APIClient, wrong: str) -> None:
    for method, route in WITH_ID:
        problem(send(client, method, route.path(wrong), {}), 404)


def test_unknown_sign_ups_and_routes_are_not_found(client: APIClient) -> None:
    problem(client.get("/api/v1/auth/signup/zzzzzzzz"), 404)
    for path in ("/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/invoices/", "/api/v2/invoices", "/api/"):
        problem(client.get(path), 404)


def test_a_method_that_a_route_does_not_have(client: APIClient) -> None:
    for route in ROUTES:
        for method in sorted({*METHODS, "TRACE", "PROPFIND"} - set(route.methods)):
            answer = send(client, method, route.path(), {})
            assert problem(answer, 405)["code"] == "method_not_allowed"
            assert set(route.methods) <= {name.strip() for name in answer["Allow"].split(",")}


def test_head_and_options_answer(client: APIClient) -> None:
    for route in ROUTES:
        assert client.options(route.path()).status_code == 200
        if "GET" in route.methods:
            assert client.head(route.path()).status_code in (200, 404)


def _expired(tenant: TenantView) -> str:
    owner = actor_of(tenant)
    assert owner.user_id
    now = utcnow() - timedelta(days=1)
    return tokens.issue_access(
        user_id=owner.user_id,
        tenant_id=tenant.id,
        family_id=uuid4(),
        roles=("OWNER",),
        email_verified=True,
        now=now,
    )


def test_a_token_that_does_not_hold(acme: TenantView, anonymous_api: APIClient, client: APIClient) -> None:
    good = str(client._credentials["HTTP_AUTHORIZATION"])
    header, payload, signature = good.removeprefix("Bearer ").split(".")
    wrong = [
        f"Bearer {_expired(acme)}",
        "Bearer garbage",
        "Bearer a.b.c",
        f"Bearer {header}.{payload}.",
        f"Bearer {header}.{payload}.{signature[:-8]}AAAAAAAA",
        f"Bearer {'x' * 10_000}",
        "Bearer \x00",
        "Bearer",
        "Basic b3duZXI6cHc=",
        good.removeprefix("Bearer "),
    ]
    for route in PROTECTED:
        for value in wrong:
            problem(anonymous_api.generic(route.methods[0], route.path(), "{}", HTTP_AUTHORIZATION=value), 401)

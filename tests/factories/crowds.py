"""Many rows in every list of a tenant, written past the services: for what depends on how long lists are."""

from datetime import date
from typing import Any

from apps.archives.models import ArchiveJob, JobKind, JobStatus
from apps.audit.models import AuditEntry
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.tenants import tenant_transaction
from apps.iam.api_key_models import ApiKey
from apps.iam.factor_models import Passkey
from apps.iam.models import Channel, Invitation, Membership, Role, TokenFamily, User
from apps.iam.role_models import CustomRole, RoleGrant
from apps.iam.scim.models import DirectoryGroup, ScimToken
from apps.iam.sso.models import MailDomain
from apps.invoices.models import Client, Invoice
from apps.ledger.models import Account, Entry, Posting
from apps.notifications.models import Notification
from apps.payments.models import Payment, Refund
from apps.tenancy.models import Brand, Domain, DomainClaim, DomainKind, TaxId, Tenant, TenantStatus
from apps.tenancy.selectors import TenantView
from apps.webhooks.models import Delivery, Endpoint, EndpointSecret, Message

SUM = 100


def crowd(tenant: TenantView, owner: Actor, count: int, mark: str) -> None:
    """`count` more rows of everything that `owner` can list; `mark` keeps their names apart from others'."""
    names = [f"{mark}-{number}" for number in range(count)]
    with tenant_transaction(tenant.scope):
        _business(names)
        _webhooks(names)
    _people(tenant, owner, names)
    _workspace(tenant, owner, names)


def _business(names: list[str]) -> None:
    clients = Client.objects.bulk_create(Client(name=name, currency="EUR") for name in names)
    drafts = Invoice.objects.bulk_create(
        Invoice(client=client, currency="EUR", due_date=date(2099, 1, 1), subtotal_minor=SUM, total_minor=SUM)
        for client in clients
    )
    # All of the first draft as well, because its own list has a route, too.
    first = Invoice.objects.order_by("pk")[0]
    payments = Payment.objects.bulk_create(
        Payment(
            purpose="invoice",
            purpose_id=purpose_id,
            amount_minor=SUM,
            currency="EUR",
            gateway="manual",
            status="SUCCEEDED",
            succeeded_at=utcnow(),
        )
        for purpose_id in [*(draft.pk for draft in drafts), *(first.pk for _ in names)]
    )
    Refund.objects.bulk_create(Refund(payment=payment, amount_minor=1, currency="EUR") for payment in payments)
    accounts = Account.objects.bulk_create(
        Account(code=name[-10:], name=name, kind="ASSET", currency="EUR", created_at=utcnow()) for name in names
    )
    entries = Entry.objects.bulk_create(
        Entry(
            key=name, kind="test", occurred_on=date(2026, 1, 1), description=name, source_type="test",
            source_id=draft.pk, created_at=utcnow(),
        )
        for name, draft in zip(names, drafts, strict=True)
    )  # fmt: skip
    Posting.objects.bulk_create(
        Posting(entry=entry, account=account, currency="EUR", amount_minor=sign * SUM, position=position)
        for entry, account in zip(entries, accounts, strict=True)
        for position, sign in enumerate((1, -1))
    )


def _webhooks(names: list[str]) -> None:
    now = utcnow()
    endpoints = Endpoint.objects.bulk_create(
        Endpoint(url=f"https://{name}.crowd.example/", event_types=["client.*"], created_at=now, updated_at=now)
        for name in names
    )
    EndpointSecret.objects.bulk_create(
        EndpointSecret(endpoint=endpoint, sealed_secret="-", hint="hint", created_at=now) for endpoint in endpoints
    )
    messages = Message.objects.bulk_create(Message(type="client.created", payload="{}", occurred_at=now) for _ in names)
    Delivery.objects.bulk_create(
        Delivery(endpoint=endpoint, message=message, next_attempt_at=now, created_at=now)
        for endpoint, message in zip(endpoints, messages, strict=True)
    )


def _people(tenant: TenantView, owner: Actor, names: list[str]) -> None:
    now = utcnow()
    users = User.objects.bulk_create(User(email=f"{name}@crowd.test", password="!") for name in names)
    members = Membership.objects.bulk_create(
        Membership(user=user, tenant_id=tenant.id, role=Role.VIEWER) for user in users
    )
    roles = CustomRole.objects.bulk_create(
        CustomRole(tenant_id=tenant.id, name=name, permissions=["invoices:read"]) for name in names
    )
    RoleGrant.objects.bulk_create(
        RoleGrant(tenant_id=tenant.id, membership=member, role=role)
        for member, role in zip(members, roles, strict=True)
    )
    Invitation.objects.bulk_create(
        Invitation(tenant_id=tenant.id, email=f"i-{name}@crowd.test", digest=name, created_at=now, expires_at=now)
        for name in names
    )
    ApiKey.objects.bulk_create(
        ApiKey(
            tenant_id=tenant.id, user_id=owner.user_id, name=name, scopes=["invoices:read"], hint="…", digest=name,
            pepper="p", created_at=now,
        )
        for name in names
    )  # fmt: skip
    TokenFamily.objects.bulk_create(
        TokenFamily(user_id=owner.user_id, tenant_id=tenant.id, channel=Channel.API, started_at=now, last_seen_at=now)
        for _ in names
    )
    Passkey.objects.bulk_create(
        Passkey(user_id=owner.user_id, name=name, credential_id=name.encode(), public_key=b"k") for name in names
    )
    MailDomain.objects.bulk_create(
        MailDomain(tenant_id=tenant.id, domain=f"{name}.crowd.test", token="t") for name in names
    )
    ScimToken.objects.bulk_create(
        ScimToken(tenant_id=tenant.id, name=name, hint="scim_…", digest=f"s-{name}") for name in names
    )
    DirectoryGroup.objects.bulk_create(DirectoryGroup(tenant_id=tenant.id, display_name=name) for name in names)
    others = Tenant.objects.bulk_create(
        Tenant(slug=name.lower(), name=name, status=TenantStatus.ACTIVE) for name in names
    )
    Membership.objects.bulk_create(Membership(user_id=owner.user_id, tenant=other) for other in others)


def _workspace(tenant: TenantView, owner: Actor, names: list[str]) -> None:
    now = utcnow()
    audited: dict[str, Any] = {"actor_kind": "USER", "entity_type": "test", "source": "API", "occurred_at": now}
    AuditEntry.objects.bulk_create(
        AuditEntry(tenant_id=tenant.id, action="tests.crowd.make", entity_id=name, **audited) for name in names
    )
    last = Notification.objects.filter(tenant_id=tenant.id, user_id=owner.user_id).count()
    Notification.objects.bulk_create(
        Notification(
            tenant_id=tenant.id, user_id=owner.user_id, seq=last + 1 + number, kind="WELCOME", title=name,
            dedupe_key=name, created_at=now,
        )
        for number, name in enumerate(names)
    )  # fmt: skip
    ArchiveJob.objects.bulk_create(
        ArchiveJob(kind=JobKind.EXPORT, status=JobStatus.DONE, tenant_id=tenant.id, created_at=now) for _ in names
    )
    domains = Domain.objects.bulk_create(
        Domain(tenant_id=tenant.id, domain=f"{name}.crowd.test", kind=DomainKind.CUSTOM, is_primary=False)
        for name in names
    )
    DomainClaim.objects.bulk_create(
        DomainClaim(tenant_id=tenant.id, domain=domain.domain, token="t") for domain in domains
    )
    Brand.objects.bulk_create(
        Brand(tenant_id=tenant.id, name=domain.domain, accent="#0f766e", domain=domain) for domain in domains
    )
    TaxId.objects.bulk_create(TaxId(tenant_id=tenant.id, kind="other", value=name) for name in names)

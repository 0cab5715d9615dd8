"""Each role on each tenant page, foreign ids, forged forms and bad values; refusals are pages, never errors of ours."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.archives.models import ArchiveJob, JobKind, JobStatus
from apps.audit.models import AuditEntry
from apps.core.clock import utcnow
from apps.iam import api_keys
from apps.iam import services as iam
from apps.iam.factor_models import Passkey
from apps.iam.models import Membership, TokenFamily
from apps.iam.scim import tokens as scim_tokens
from apps.iam.scim.models import DirectoryGroup
from apps.iam.sso import mail_domains
from apps.invoices import services as invoices
from apps.notifications import services as notifications
from apps.notifications.models import Notification, NotificationKind
from apps.notifications.services import Recipient, Text
from apps.tenancy import brands, domains, tax_ids
from apps.tenancy.models import Domain
from apps.tenancy.selectors import TenantView
from apps.webhooks import services as webhooks
from apps.webhooks.models import Delivery
from tests.api import matrix
from tests.factories import invoices as invoice_factory
from tests.factories.iam import person
from tests.fixtures.clients import BrowserFor
from tests.fixtures.tenants import actor_of, in_tenant

GET_PAGES = {name: allowed for name, (allowed, _) in matrix.PAGES.items() if allowed}
POST_PAGES = {name: allowed for name, (_, allowed) in matrix.PAGES.items() if allowed}


def _names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if str(pattern.pattern) != "api/":
                space = f"{pattern.namespace}:" if pattern.namespace else ""
                yield from _names(pattern.url_patterns, prefix + space)
        else:
            yield f"{prefix}{pattern.name}", tuple(pattern.pattern.converters)


PARAMETERS = dict(_names(get_resolver(settings.TENANT_URLCONF).url_patterns))


@pytest.fixture
def belongings(acme: TenantView) -> dict[str, UUID]:
    """What Acme has, by the name of the route's parameter."""
    return belongings_of(acme)


def belongings_of(tenant: TenantView) -> dict[str, UUID]:
    owner = actor_of(tenant)
    with in_tenant(tenant):
        endpoint = webhooks.create_endpoint(
            actor=owner, url=f"https://hooks.{tenant.slug}.example/", event_types=["invoice.created"]
        ).endpoint
        draft, issued = invoice_factory.make_draft(owner), invoice_factory.make_open(owner)
        payment_id = invoices.record_manual_payment(
            actor=owner, invoice_id=issued.id, amount_minor=100, method="CASH", paid_at=utcnow()
        )
        members = [actor_of(tenant, role) for role in matrix.ROLES.values()]
        notifications.notify(
            tenant_id=tenant.id,
            recipients=[Recipient(member.user_id, "en") for member in members if member.user_id],
            kind=NotificationKind.WELCOME,
            dedupe_key="pages",
            text=lambda: Text("Welcome", ""),
        )
    with in_tenant(tenant):
        delivery_id = Delivery.objects.get(endpoint_id=endpoint.id, message__subject_id=draft.id).id
        brand = brands.create_brand(actor=owner, values={"name": "Pages"})
        brands.create_brand(actor=owner, values={"name": "Second"})
        former = Domain.objects.create(domain=f"old-{tenant.slug}.localhost", tenant_id=tenant.id, kind="FORMER")
    return {
        "brand_id": brand.id,
        "tax_id": tax_ids.add_tax_id(actor=owner, kind="other", value="7").id,
        "claim_id": domains.add_domain(actor=owner, domain=f"{tenant.slug}.pages.example").id,
        "domain_id": former.id,
        "digest": "0" * 64,
        "client_id": issued.client.id,
        "invoice_id": issued.id,
        "draft": draft.id,
        "payment_id": payment_id,
        "entry_id": AuditEntry.objects.filter(tenant_id=tenant.id).latest("id").id,
        "related_id": issued.id,
        "job_id": finished_export(tenant),
        "membership_id": Membership.objects.get(tenant_id=tenant.id, user__email=f"viewer@{tenant.slug}.test").id,
        "role_id": iam.create_role(actor=owner, name="Pages", permissions=["invoices:read"]).id,
        "key_id": api_keys.create_api_key(actor=owner, name="Pages", scopes=["invoices:read"]).key.id,
        "invitation_id": iam.invite(actor=owner, email=f"guest@{tenant.slug}.test").id,
        "mail_domain_id": mail_domains.add_domain(actor=owner, domain=f"{tenant.slug}.mail.example").id,
        "endpoint_id": endpoint.id,
        "delivery_id": delivery_id,
        "scim_token_id": scim_tokens.create_token(actor=owner, name="Pages")[0].id,
        "group_id": DirectoryGroup.objects.create(tenant_id=tenant.id, display_name="Pages").id,
        # Of somebody who signs in in none of these tests: it would be asked for.
        "passkey_id": Passkey.objects.create(
            user_id=person(tenant)[0], name="Pages", credential_id=tenant.id.bytes, public_key=b"key"
        ).id,
        "session_id": TokenFamily.objects.create(
            user_id=owner.user_id, tenant_id=tenant.id, channel="API", started_at=utcnow(), last_seen_at=utcnow()
        ).id,
        "notification_id": Notification.objects.get(dedupe_key="pages", user_id=owner.user_id).id,
    }


def finished_export(tenant: TenantView) -> UUID:
    job = ArchiveJob(kind=JobKind.EXPORT, status=JobStatus.DONE, tenant_id=tenant.id, tenant_key=tenant.key)
    job.storage_key = default_storage.save(f"archives/{tenant.id}/{job.id}.zip", ContentFile(b"PK"))
    job.size, job.created_at, job.expires_at = 2, utcnow(), utcnow() + timedelta(hours=1)
    job.save(force_insert=True)
    return job.id


def path_of(name: str, ids: dict[str, Any]) -> str:
    values = {**ids, "related_type": "invoice", "action": "finalize", "token": "x" * 43}
    if name in ("invoices:edit", "invoices:act", "invoices:delete"):
        values["invoice_id"] = ids["draft"]
    wanted = {parameter: values[parameter] for parameter in PARAMETERS[name]}
    return reverse(name, urlconf=settings.TENANT_URLCONF, kwargs=wanted)


def test_the_matrix_names_every_page_and_no_other() -> None:
    assert PARAMETERS.keys() == matrix.PAGES.keys() | matrix.OPEN_PAGES


@pytest.mark.parametrize(("letter", "role"), matrix.ROLES.items())
def test_each_page(
    acme: TenantView, browser_client: BrowserFor, belongings: dict[str, UUID], letter: str, role: str
) -> None:
    client = browser_client(acme, role)
    for name, allowed in GET_PAGES.items():
        answer = client.get(path_of(name, belongings))
        assert answer.status_code == (200 if letter in allowed else 403), f"{role} {name}"
    for name, allowed in POST_PAGES.items():
        if letter not in allowed:
            answer = client.post(path_of(name, belongings))
            assert answer.status_code == 403, f"{role} {name}"


def test_nobody_is_sent_to_sign_in(acme: TenantView, belongings: dict[str, UUID]) -> None:
    client = Client(SERVER_NAME=acme.host)
    for names, method in ((GET_PAGES, "GET"), (POST_PAGES, "POST")):
        for name in names:
            path = path_of(name, belongings)
            answer = client.generic(method, path)
            assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in/"), name
            piece = client.generic(method, path, headers={"HX-Request": "true"})
            assert piece.status_code == 401 and piece["HX-Redirect"].startswith("/sign-in/"), name


def test_a_page_without_that_method(acme: TenantView, browser_client: BrowserFor, belongings: dict[str, UUID]) -> None:
    client = browser_client(acme)
    for name in matrix.PAGES:
        for method, names in (("GET", GET_PAGES), ("POST", POST_PAGES), ("DELETE", {}), ("PUT", {})):
            if name not in names:
                assert client.generic(method, path_of(name, belongings)).status_code == 405, f"{method} {name}"


def test_a_form_of_another_site_changes_nothing(
    acme: TenantView, browser_client: BrowserFor, belongings: dict[str, UUID]
) -> None:
    client = Client(SERVER_NAME=acme.host, enforce_csrf_checks=True)
    client.cookies = browser_client(acme).cookies
    for name in [*POST_PAGES, "iam:signin", "iam:signout", "hosted:pay", "set_language"]:
        assert client.post(path_of(name, belongings)).status_code == 403, name


def test_what_belongs_to_another_tenant_is_not_found(
    acme: TenantView, globex: TenantView, browser_client: BrowserFor
) -> None:
    foreign = belongings_of(globex)
    client, theirs = browser_client(acme), browser_client(globex)
    for name, parameters in PARAMETERS.items():
        if name in matrix.OPEN_PAGES or not parameters or name == "notifications:deliveries":
            continue
        path = path_of(name, foreign)
        if name in GET_PAGES:
            assert client.get(path).status_code == 404, name
            assert theirs.get(path).status_code == 200, name
        if name in POST_PAGES:
            values = {"amount": "1.00", "method": "CASH", "reason": "OTHER", "name": "Theirs", "overlap": "24"}
            assert client.post(path, values).status_code == 404, name


# -- values ---------------------------------------------------------------------------------------------------------

NASTY = [
    "",
    "\x00",
    "a\x00b",
    "x" * 10_000,
    "-1",
    "9" * 400,
    "1e999999",
    "NaN",
    "٣",
    "2026-13-45",
    "<script>alert(1)</script>",
    "{% now 'Y' %}",
    "' or 1=1 --",
    "\u202e",
]


class _Form(HTMLParser):
    """Names and values of the page's form fields."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "select":
            self._select = name
            self.values.setdefault(name, "")
        elif tag == "option" and self._select and ("selected" in given or not self.values[self._select]):
            self.values[self._select] = given.get("value") or ""
        elif tag in ("input", "textarea") and name and name != "csrfmiddlewaretoken":
            self.values.setdefault(name, given.get("value") or "")


# Each of these has the whole page rendered again.
NASTIEST = ["\x00", "x" * 10_000, "9" * 400, "1e999999", "<script>alert(1)</script>"]


@pytest.mark.parametrize(
    "name",
    [
        "clients:new",
        "invoices:new",
        "settings",
        "settings-region",
        "settings-tax-ids",
        "settings-numbers",
        "settings-domains",
        "settings-brand-new",
        "webhooks:new",
        "iam:signin",
    ],
)
def test_any_value_in_any_field_of_a_form(
    acme: TenantView, browser_client: BrowserFor, belongings: dict[str, UUID], name: str
) -> None:
    client = Client(SERVER_NAME=acme.host) if name == "iam:signin" else browser_client(acme)
    path = path_of(name, belongings)
    form = _Form()
    form.feed(client.get(path).content.decode())
    assert form.values
    # One line stands for all.
    for field in [field for field in form.values if not re.match(r"lines-[1-9_]", field)]:
        for value in NASTIEST:
            answer = client.post(path, {**form.values, field: value})
            assert answer.status_code in (200, 302, 400, 401, 409), f"{field}={value[:20]!r}: {answer.status_code}"
            assert b"<script>alert(1)" not in answer.content


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("invoices:record-payment", ("amount", "method", "reference", "paid_on", "paid_at")),
        ("payments:refund", ("amount", "reason", "scope", "kind")),
        ("webhooks:replay-since", ("since", "also_arrived")),
        ("webhooks:rotate", ("overlap",)),
    ],
)
def test_any_value_in_an_action(
    acme: TenantView, browser_client: BrowserFor, belongings: dict[str, UUID], name: str, fields: tuple[str, ...]
) -> None:
    client = browser_client(acme)
    for field in fields:
        for value in NASTY:
            answer = client.post(path_of(name, belongings), {field: value})
            assert answer.status_code in (200, 302, 400, 404, 409), f"{field}={value[:20]!r}: {answer.status_code}"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("invoices:list", ("q", "status", "cursor", "from", "to", "currency", "client_id")),
        ("clients:list", ("q", "cursor")),
        ("payments:list", ("q", "status", "cursor", "from", "to")),
        ("audit:list", ("q", "action", "entity_type", "severity", "cursor")),
        ("notifications:list", ("unread", "cursor")),
        ("webhooks:list", ("cursor",)),
        ("webhooks:deliveries", ("state", "event_type", "endpoint_id", "cursor")),
        ("palette", ("q",)),
    ],
)
def test_any_value_in_the_address_of_a_list(
    acme: TenantView, browser_client: BrowserFor, name: str, fields: tuple[str, ...]
) -> None:
    client = browser_client(acme)
    for field in fields:
        for value in NASTIEST:
            answer = client.get(path_of(name, {}), {field: value})
            assert answer.status_code in (200, 302, 400, 404), f"{field}={value[:20]!r}: {answer.status_code}"
            assert b"<script>alert(1)" not in answer.content


def test_a_form_that_is_too_large(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    body = "name=" + "x" * (10 * 1024 * 1024)
    large = client.generic("POST", "/clients/new/", body, content_type="application/x-www-form-urlencoded")
    assert large.status_code in (400, 413)
    many = client.post("/clients/new/", {f"f{number}": "x" for number in range(6000)})
    assert many.status_code in (400, 413)

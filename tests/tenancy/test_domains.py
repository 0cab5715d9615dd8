"""Domains: proved by a real name server, lost and won again, first come first served; hosts that nobody may claim."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core.clock import utcnow
from apps.core.errors import PermissionRefused, ValidationFailed
from apps.core.tenants import tenant_scope
from apps.notifications.models import EmailDelivery, Notification, NotificationKind
from apps.tenancy import domains, hosts, proving, selectors, subdomains
from apps.tenancy.errors import DomainNotVerified, DomainTaken, NameTaken, TooMany
from apps.tenancy.models import Domain
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import NewTenant, actor_of, in_tenant
from tests.tenancy.nameserver import NameServer, running

NAME = "billing.acme.example"


@pytest.fixture
def dns_server(settings: Any) -> Iterator[NameServer]:
    with running() as server:
        settings.DNS_NAMESERVERS = [server.address]
        settings.DNS_TIMEOUT = 10.0
        yield server


@pytest.fixture(autouse=True)
def _fresh_hosts() -> Iterator[None]:
    """What tests change is rolled back, but not what the cache holds of it."""
    selectors.forget_host(NAME)
    yield
    selectors.forget_host(NAME)


def claim(tenant: TenantView, name: str = NAME) -> domains.ClaimView:
    with in_tenant(tenant):
        return domains.add_domain(actor=actor_of(tenant), domain=name)


def check(tenant: TenantView, found: domains.ClaimView, **values: Any) -> domains.ClaimView:
    actor = actor_of(tenant)
    with tenant_scope(tenant.scope):
        return domains.check_domain(actor=actor, claim_id=found.id, **values)


def prove(server: NameServer, found: domains.ClaimView) -> None:
    server.say(found.record_name, "v=spf1 -all", found.record_value)


def test_a_domain_leads_to_its_tenant_once_dns_names_it(acme: TenantView, dns_server: NameServer) -> None:
    found = claim(acme)
    assert found.record_name == f"_insula.{NAME}"
    assert Client(SERVER_NAME=NAME).get("/sign-in/").status_code == 404

    assert (check(acme, found).state, check(acme, found).last_error) == ("PENDING", "absent")
    prove(dns_server, found)
    later = utcnow() + timedelta(minutes=1)
    assert check(acme, found, now=later).state == "VERIFIED"

    assert acme.name in Client(SERVER_NAME=NAME).get("/sign-in/").content.decode()
    assert AuditEntry.objects.filter(tenant_id=acme.id, action="tenancy.tenant.verify_domain").exists()


def test_asked_again_at_once_the_last_answer_stands(acme: TenantView, dns_server: NameServer) -> None:
    found, now = claim(acme), utcnow()
    check(acme, found, now=now)
    prove(dns_server, found)

    assert check(acme, found, now=now + timedelta(seconds=1)).state == "PENDING"
    assert check(acme, found, now=now + timedelta(seconds=6)).state == "VERIFIED"


def test_who_proves_it_first_has_it(acme: TenantView, globex: TenantView, dns_server: NameServer) -> None:
    ours, theirs = claim(acme), claim(globex)
    dns_server.say(ours.record_name, ours.record_value, theirs.record_value)

    assert check(globex, theirs).state == "VERIFIED"
    assert (check(acme, ours).state, check(acme, ours).last_error) == ("PENDING", "taken")
    with in_tenant(acme):
        domains.remove_domain(actor=actor_of(acme), claim_id=ours.id)
    with pytest.raises(DomainTaken):
        claim(acme)


def test_a_domain_is_lost_only_when_dns_denies_it(acme: TenantView, dns_server: NameServer) -> None:
    found, now = claim(acme), utcnow()
    prove(dns_server, found)
    check(acme, found, now=now)
    with in_tenant(acme):
        domains.set_primary(actor=actor_of(acme), claim_id=found.id)
    assert selectors.tenant_by_id(acme.id).url.startswith(f"http://{NAME}")

    dns_server.broken.add(found.record_name)
    for day in range(1, 10):
        assert check(acme, found, now=now + timedelta(days=day)).state == "VERIFIED"
    dns_server.broken.clear()
    dns_server.say(found.record_name)
    states = [check(acme, found, now=now + timedelta(days=10 + day)).state for day in range(proving.LOST_AFTER)]

    assert states == ["VERIFIED"] * (proving.LOST_AFTER - 1) + ["LOST"]
    assert selectors.tenant_by_id(acme.id).url == acme.url
    assert not Domain.objects.filter(domain=NAME).exists()
    assert [letter.to for letter in EmailDelivery.objects.filter(template="domain_lost")] == [f"owner@{acme.slug}.test"]
    told = Notification.objects.filter(tenant_id=acme.id, kind=NotificationKind.DOMAIN_LOST)
    assert {row.title for row in told} == {f"{NAME} does not lead here any more"} and told.count() == 2
    prove(dns_server, found)
    assert check(acme, found, now=now + timedelta(days=30)).state == "VERIFIED"
    with in_tenant(acme):
        domains.remove_domain(actor=actor_of(acme), claim_id=found.id)
    assert told.count() == 2, "whoever gives a domain up knows it"


def test_the_sweep_checks_what_is_due(acme: TenantView, dns_server: NameServer) -> None:
    found = claim(acme)
    prove(dns_server, found)

    assert domains.check_due_domains(now=utcnow()) == 0
    assert domains.check_due_domains(now=utcnow() + timedelta(minutes=5)) >= 1
    with in_tenant(acme):
        assert domains.get_claim(actor=actor_of(acme), claim_id=found.id).state == "VERIFIED"


def test_only_a_verified_domain_can_be_the_primary_one(acme: TenantView) -> None:
    found = claim(acme)
    with in_tenant(acme), pytest.raises(DomainNotVerified):
        domains.set_primary(actor=actor_of(acme), claim_id=found.id)


def test_two_tenants_verify_one_domain_at_once(committed: NewTenant, dns_server: NameServer) -> None:
    tenants = [committed("Domain Race One"), committed("Domain Race Two")]
    claims = [claim(tenant, "race.example") for tenant in tenants]
    dns_server.say(claims[0].record_name, *(found.record_value for found in claims))

    def verify(index: int) -> str:
        try:
            return check(tenants[index], claims[index]).state
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(verify, range(2)))

    assert sorted(states) == ["PENDING", "VERIFIED"]
    assert Domain.objects.filter(domain="race.example").count() == 1


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Billing.Example.COM.", "billing.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("例え.テスト.example", "xn--r8jz45g.xn--zckzah.example"),
    ],
)
def test_a_name_is_kept_as_dns_knows_it(typed: str, name: str) -> None:
    assert hosts.claimable(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "localhost",
        "shop",
        "127.0.0.1",
        "[::1]",
        "::1",
        "1.2.3.4.",
        "https://a.example",
        "a.example/x",
        "a.example:80",
        "me@a.example",
        "*.a.example",
        "a..example",
        "-a.example",
        "a_b.example",
        "a.local",
        "a.internal",
        "a.example\x00",
        "x" * 64 + ".example",
        "a." * 130 + "example",
        "x" * 100_000,
        "acme.localhost",
        "xn--a.example",
        "\u202ea.example",
    ],
)
def test_what_is_no_public_name_is_refused(typed: str) -> None:
    with pytest.raises(ValidationFailed):
        hosts.claimable(typed)


@pytest.mark.parametrize(
    "typed", ["portal.example", "app.portal.example", "x.app.portal.example", "APP.portal.example."]
)
def test_the_platforms_own_names_are_refused(settings: Any, typed: str) -> None:
    settings.PLATFORM_HOST = "app.portal.example"
    with pytest.raises(ValidationFailed):
        hosts.claimable(typed)


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        ("Acme.Localhost:8000", "acme.localhost"),
        ("acme.localhost:0", None),
        ("acme.localhost:70000", None),
        ("acme.localhost:" + "9" * 300, None),
        ("acme@localhost", None),
        ("http://acme.localhost/", None),
        ("acme.localhost\x00", None),
        ("a" * 300, None),
    ],
)
def test_the_host_of_a_request(raw: str, host: str | None) -> None:
    assert hosts.of_request(raw) == host


def test_a_former_address_leads_to_the_present_one(acme: TenantView, api: ApiFor) -> None:
    client = api(acme)
    with in_tenant(acme):
        subdomains.change_slug(actor=actor_of(acme), slug="acme-two")
    selectors.forget_host(acme.host)

    moved = Client(SERVER_NAME=acme.host).get("/i/abc/?x=1")
    assert (moved.status_code, moved["Location"]) == (302, "http://acme-two.localhost/i/abc/?x=1")
    assert client.get("/api/v1/me", SERVER_NAME=acme.host).status_code == 200
    with in_tenant(acme):
        subdomains.change_slug(actor=actor_of(acme), slug="acme")
        assert [old.host for old in domains.addresses(actor=actor_of(acme)).former] == ["acme-two.localhost"]
    selectors.forget_host(acme.host)
    selectors.forget_host("acme-two.localhost")


def test_a_former_address_is_kept_from_others_until_it_is_freed(acme: TenantView, globex: TenantView) -> None:
    with in_tenant(acme):
        subdomains.change_slug(actor=actor_of(acme), slug="acme-three")
        old = domains.addresses(actor=actor_of(acme)).former[0]
    with in_tenant(globex), pytest.raises(NameTaken):
        subdomains.change_slug(actor=actor_of(globex), slug="acme")
    with in_tenant(acme):
        subdomains.free_former(actor=actor_of(acme), domain_id=old.id)
    with in_tenant(globex):
        subdomains.change_slug(actor=actor_of(globex), slug="acme")
    for host in (acme.host, globex.host, "acme-three.localhost"):
        selectors.forget_host(host)


@pytest.mark.parametrize("slug", ["", "www", "api", "A b", "-a", "a-", "ä", "xn--a", "x" * 51, "a.b"])
def test_no_slug(acme: TenantView, slug: str) -> None:
    with in_tenant(acme), pytest.raises(ValidationFailed):
        subdomains.change_slug(actor=actor_of(acme), slug=slug)


def test_five_old_addresses_are_enough(acme: TenantView) -> None:
    with in_tenant(acme):
        for number in range(subdomains.MOST_FORMER):
            subdomains.change_slug(actor=actor_of(acme), slug=f"acme-{number}")
        with pytest.raises(TooMany):
            subdomains.change_slug(actor=actor_of(acme), slug="acme-last")
    selectors.forget_host(acme.host)


@pytest.mark.parametrize("role", ["ACCOUNTANT", "MEMBER", "VIEWER"])
def test_who_may_not(acme: TenantView, role: str) -> None:
    with in_tenant(acme), pytest.raises(PermissionRefused):
        domains.add_domain(actor=actor_of(acme, role), domain=NAME)


def test_a_proxy_may_ask_for_a_certificate(acme: TenantView, dns_server: NameServer) -> None:
    proxy = Client(SERVER_NAME="127.0.0.1", REMOTE_ADDR="127.0.0.1")

    def ask(name: str, **headers: str) -> int:
        return proxy.get("/tls/allowed", {"domain": name}, **headers).status_code

    found = claim(acme)
    assert (ask(acme.host), ask(NAME), ask("evil.example"), ask(""), ask("acme.localhost:80")) == (
        200, 404, 404, 404, 404
    )  # fmt: skip
    prove(dns_server, found)
    check(acme, found)
    selectors.forget_host(NAME)
    assert ask(NAME) == 200
    assert ask(NAME, REMOTE_ADDR="203.0.113.9") == 403
    assert ask(NAME, HTTP_X_FORWARDED_FOR="127.0.0.1") == 403


def test_the_page_shows_the_record_and_checks(
    acme: TenantView, browser_client: BrowserFor, dns_server: NameServer
) -> None:
    client = browser_client(acme)
    assert client.post("/settings/domains/", {"domain": NAME}).status_code == 302
    with in_tenant(acme):
        found = domains.addresses(actor=actor_of(acme)).claims[0]
    assert found.record_value in client.get("/settings/domains/").content.decode()
    prove(dns_server, found)
    client.post(f"/settings/domains/{found.id}/check/")
    client.post("/settings/domains/primary/", {"claim": str(found.id)})

    assert selectors.tenant_by_id(acme.id).primary_domain == NAME
    client.post(f"/settings/domains/{found.id}/delete/")
    assert selectors.tenant_by_id(acme.id).primary_domain == ""
    selectors.forget_host(NAME)
    assert Client(SERVER_NAME=NAME).get("/").status_code == 404

"""Setting up single sign-on and the directory: pages, API, mail domains by a real name server."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from apps.core.clock import utcnow
from apps.core.errors import PermissionRefused, ValidationFailed
from apps.iam.models import TokenFamily, User
from apps.iam.scim.models import ScimToken
from apps.iam.sso import connections, mail_domains
from apps.iam.sso.errors import MailDomainTaken
from apps.iam.sso.models import MailDomain, SsoConnection
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import actor_of
from tests.iam import federated
from tests.iam.idp import CLIENT_SECRET, Idp
from tests.iam.mailbox import RunTasks, mails_to
from tests.tenancy.nameserver import NameServer, running

FORM = {
    "name": "Acme ID",
    "issuer": "https://login.acme.example",
    "client_id": "insula",
    "client_secret": "s3cret",
    "default_role": "VIEWER",
    "group_claim": "groups",
    "group_roles": "books = ACCOUNTANT\n it=VIEWER",
    "is_enabled": "on",
}


@pytest.fixture
def dns_server(settings) -> Iterator[NameServer]:
    with running() as server:
        settings.DNS_NAMESERVERS = [server.address]
        settings.DNS_TIMEOUT = 10.0
        yield server


def test_a_domain_is_proved_lost_and_another_organisations(acme, globex, dns_server):
    owner, theirs = actor_of(acme), actor_of(globex)
    mine, other = (mail_domains.add_domain(actor=who, domain="@Acme.Example") for who in (owner, theirs))
    assert mail_domains.check_domain(actor=owner, domain_id=mine.id).last_error == "absent"
    dns_server.say(mine.record_name, mine.record_value, other.record_value)
    now = utcnow() + timedelta(minutes=1)
    assert mail_domains.check_domain(actor=owner, domain_id=mine.id, now=now).state == "VERIFIED"
    assert mail_domains.speaks_for(acme.id, "Ada@acme.example") and not mail_domains.speaks_for(
        globex.id, "a@acme.example"
    )
    assert mail_domains.check_domain(actor=theirs, domain_id=other.id, now=now).last_error == "taken"
    dns_server.say(mine.record_name, other.record_value)
    for day in range(1, 7):
        mail_domains.check_due_domains(now=now + timedelta(days=day))
    states = {row.tenant_id: row.state for row in MailDomain.objects.filter(domain="acme.example")}
    assert states == {acme.id: "LOST", globex.id: "VERIFIED"}
    with pytest.raises(MailDomainTaken):
        mail_domains.remove_domain(actor=owner, domain_id=mine.id)
        mail_domains.add_domain(actor=owner, domain="acme.example")


def test_who_keeps_the_sign_in_hears_of_its_changes(acme, run_tasks: RunTasks):
    User.objects.filter(email="owner@acme.test").update(locale="de")
    admin, domain = actor_of(acme, "ADMIN"), federated.prove_domain(acme)
    values = {"name": "Acme ID", "issuer": "https://login.acme.example", "client_id": "i", "client_secret": "s3cret"}
    with run_tasks():
        connections.save_connection(actor=admin, values={**values, "is_enabled": True})
        connections.save_connection(actor=admin, values={"name": "Acme ID"})
        mail_domains.remove_domain(actor=admin, domain_id=domain.id)

    changed, lost = mails_to("admin@acme.test")
    assert changed.subject == "The sign-in of Acme was changed"
    assert "State: On\nChanged by: admin@acme.test\nSettings: http" in changed.body and "s3cret" not in changed.body
    assert lost.subject == "acme.test is no mail domain of Acme any more"
    assert [mail.subject for mail in mails_to("owner@acme.test")] == [
        "Die Anmeldung bei Acme wurde geändert",
        "acme.test ist keine Mail-Domain von Acme mehr",
    ]
    assert mails_to("member@acme.test") == mails_to("owner@globex.test") == []


def test_domains_that_nobody_proves(acme):
    for name in ("gmail.com", "localhost", "acme", "https://acme.example", ""):
        with pytest.raises(ValidationFailed):
            mail_domains.add_domain(actor=actor_of(acme), domain=name)


def test_the_form(acme, browser_client: BrowserFor):
    client = browser_client(acme)
    assert client.post("/settings/sso/", FORM)["Location"] == "/settings/sso/"
    row = SsoConnection.objects.get(tenant_id=acme.id)
    assert (row.group_roles, row.admits_new) == ({"books": "ACCOUNTANT", "it": "VIEWER"}, False)
    page = client.get("/settings/sso/").content.decode()
    assert "books = ACCOUNTANT" in page and "s3cret" not in page and row.client_secret not in page
    for wrong in ({"issuer": "ftp://x"}, {"group_roles": "books"}, {"default_role": "OWNER"}, {"is_required": "on"}):
        assert client.post("/settings/sso/", {**FORM, **wrong}).status_code in (400, 403, 409)
    assert "Sign in with Acme ID" in client.__class__(SERVER_NAME=acme.host).get("/sign-in/").content.decode()
    assert client.post("/settings/sso/remove/").status_code == 302
    assert not SsoConnection.objects.filter(tenant_id=acme.id).exists()


def test_an_administrator_gives_no_role_as_high_as_his_own(acme):
    with pytest.raises(PermissionRefused):
        connections.save_connection(
            actor=actor_of(acme, "ADMIN"), values={**FORM, "group_roles": {}, "default_role": "ADMIN"}
        )


def test_whoever_names_another_claim_gives_its_roles_anew(acme, provider: Idp):
    owner, admin = actor_of(acme), actor_of(acme, "ADMIN")
    mapping = {"group_claim": "groups", "group_roles": {"it": "ADMIN"}}
    connections.save_connection(actor=owner, values=mapping)
    connections.save_connection(actor=admin, values={**mapping, "admits_new": False})
    for values in ({"group_claim": "nickname"}, {**mapping, "group_claim": "nickname"}):
        with pytest.raises(PermissionRefused):
            connections.save_connection(actor=admin, values=values)
    connections.save_connection(actor=admin, values={"group_claim": ""})
    with pytest.raises(PermissionRefused):
        connections.save_connection(actor=admin, values={"group_claim": "nickname"})


def test_the_api(acme, globex, provider: Idp, api: ApiFor):
    client = api(acme)
    found = client.get("/api/v1/sso/connection").json()
    assert found["redirect_uri"].endswith(f"{acme.host}/sign-in/sso/callback/")
    assert found["connection"]["has_secret"] and CLIENT_SECRET not in str(found)
    assert client.post("/api/v1/sso/connection/test").json()["tested_at"]
    provider.metadata = {"issuer": "https://evil.example"}
    failed = client.post("/api/v1/sso/connection/test")
    assert (failed.status_code, failed.json()["reason"]) == (502, "other_issuer")
    domain = client.post("/api/v1/sso/domains", {"domain": "acme.example"}).json()
    assert domain["state"] == "pending" and domain["record"]["type"] == "TXT"
    theirs = api(globex)
    assert theirs.get("/api/v1/sso/connection").json()["connection"] is None
    assert theirs.get(f"/api/v1/sso/domains/{domain['id']}").status_code == 404
    assert client.delete("/api/v1/sso/connection").status_code == 204


def test_a_token_is_shown_once(acme, browser_client: BrowserFor, api: ApiFor):
    client = browser_client(acme)
    secret = next(
        word
        for word in client.post("/settings/directory/", {"name": "Entra"}).content.decode().split('"')
        if word.startswith("scim_")
    )
    row = ScimToken.objects.get(tenant_id=acme.id)
    assert secret not in client.get("/settings/directory/").content.decode()
    made = api(acme).post("/api/v1/scim-tokens", {"name": "Okta"})
    assert made.json()["secret"].startswith("scim_") and made["Cache-Control"] == "no-store"
    assert client.post(f"/settings/directory/tokens/{row.id}/revoke/").status_code == 302


def test_the_secret_of_one_provider_is_shown_to_no_other(acme, provider: Idp):
    with pytest.raises(ValidationFailed) as refused:
        connections.save_connection(actor=actor_of(acme), values={"issuer": "https://collects.example"})
    assert [error.field for error in refused.value.errors] == ["client_secret"]
    connections.save_connection(actor=actor_of(acme), values={"issuer": provider.issuer, "client_secret": ""})
    assert SsoConnection.objects.get(tenant_id=acme.id).issuer == provider.issuer


def test_another_provider_ends_what_the_first_one_vouched_for(acme, provider: Idp, visitor):
    federated.go(visitor)
    connections.save_connection(
        actor=actor_of(acme), values={"issuer": "https://login.acme.example", "client_secret": "other"}
    )
    assert not TokenFamily.objects.filter(tenant_id=acme.id, methods=["fed"], revoked_at=None).exists()

"""The short way says what the long way says, refuses nothing itself, and believes nothing beyond a request."""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import RequestFactory
from prometheus_client import REGISTRY
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from apps.core.clock import utcnow
from apps.core.postgres.pipeline import Statement
from apps.core.tenants import owner_transaction, read_at_once
from apps.iam import api_keys, identity, key_secrets, origins, tokens
from apps.iam.api_key_models import ApiKey
from apps.iam.models import Channel, Membership, MembershipStatus, TokenFamily, User
from apps.iam.permissions import ROLE_PERMISSIONS
from apps.iam.thin_reads import LONGEST_CREDENTIALS
from apps.tenancy.models import Tenant, TenantStatus
from apps.tenancy.selectors import TenantView
from tests.factories import invoices as invoice_factory
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import PASSWORD, NewTenant, actor_of, in_tenant
from tests.iam.keys import program
from tests.iam.signing import signed, with_secret

LIST = "/api/v1/invoices"


def is_short(answer: Any) -> bool:
    """Whether nothing but the edge and the short way had to do with an answer."""
    return "Content-Language" not in answer.headers


def furnish(tenant: TenantView) -> None:
    """Two invoices."""
    with in_tenant(tenant):
        for _ in range(2):
            invoice_factory.make_draft(actor_of(tenant))


@contextmanager
def questions() -> Iterator[Callable[[], int]]:
    """``asked()``: how often this connection has waited for an answer inside."""
    connection.ensure_connection()
    with tempfile.NamedTemporaryFile("r+") as log:
        libpq = connection.connection.pgconn
        libpq.trace(log.fileno())
        try:
            yield lambda: len(re.findall(r"\tF\t\d+\t(?:Sync|Query)", Path(log.name).read_text()))
        finally:
            libpq.untrace()


def asked_twice(client: APIClient, path: str, **headers: str) -> tuple[Any, Any]:
    """The answers of the long way and, where there is one, of the short way."""
    return client.get(path, headers=headers), client.get(path, headers=headers)


def test_a_read_is_one_question_to_the_database(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("One question")
    furnish(tenant)
    client = api(tenant)
    asked_twice(client, LIST)
    with questions() as asked:
        assert is_short(client.get(LIST))
        assert asked() == 1
    connection.settings_dict["PREPARES"] = False
    try:
        with questions() as asked:
            assert is_short(client.get(LIST))
            assert asked() == 1
    finally:
        connection.settings_dict["PREPARES"] = True


def test_tenants_see_their_own_by_one_connection_and_the_same_statements(committed: NewTenant, api: ApiFor) -> None:
    tenants = [committed("Mine"), committed("Theirs")]
    for tenant in tenants:
        with in_tenant(tenant):
            invoice_factory.make_draft(actor_of(tenant), notes=tenant.key)
    clients = [api(tenant) for tenant in tenants]
    own = [client.get(LIST).json()["data"][0]["id"] for client in clients]
    assert own[0] != own[1]
    for number in (0, 1, 1, 0, 0, 1, 0):
        answer = clients[number].get(LIST)
        assert is_short(answer)
        assert [row["id"] for row in answer.json()["data"]] == [own[number]]


@contextmanager
def changed(rows: Any, **values: Any) -> Iterator[None]:
    """Rows with other values for a while."""
    before = list(rows.values("pk", *values))
    rows.update(**values)
    try:
        yield
    finally:
        for row in before:
            rows.model.objects.filter(pk=row.pop("pk")).update(**row)


def test_what_does_not_hold_any_more_is_refused_at_once(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("Withdrawn")
    user, own = User.objects.get(email=f"member@{tenant.slug}.test"), Tenant.objects.filter(pk=tenant.id)
    person, families = User.objects.filter(pk=user.pk), TokenFamily.objects.filter(user=user)
    members, soon = Membership.objects.filter(user=user), utcnow() + timedelta(minutes=1)
    cases: list[tuple[AbstractContextManager[None], int]] = [
        (changed(families, revoked_at=utcnow()), 401),
        (changed(families, ends_at=utcnow()), 401),
        (changed(person, tokens_valid_after=soon), 401),
        (changed(person, is_active=False), 401),
        (changed(members, status=MembershipStatus.BANNED, banned_until=None), 401),
        (changed(person, must_change_password=True), 403),
        (changed(own, status=TenantStatus.DELETED), 403),
        (changed(own, status=TenantStatus.PROVISIONING), 403),
    ]
    client = api(tenant, "MEMBER")
    for case, status in cases:
        assert is_short(asked_twice(client, LIST)[1])
        with case:
            answers = asked_twice(client, LIST)
        assert {answer.status_code for answer in answers} == {status}, [answer.json() for answer in answers]
        assert not any(is_short(answer) or "data" in answer.json() for answer in answers)
        with connection.cursor() as cursor:
            cursor.execute("select current_user = session_user, coalesce(current_setting('app.tenant_id', true), '')")
            assert cursor.fetchone() == (True, "")


def test_a_suspended_workspace_is_read_by_either_way(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("Suspended")
    client = api(tenant)
    with changed(Tenant.objects.filter(pk=tenant.id), status=TenantStatus.SUSPENDED):
        long, short = asked_twice(client, LIST)
    assert is_short(short) and short.json() == long.json()


def test_what_is_not_plain_is_answered_as_ever(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("Not plain")
    client = api(tenant)
    nobodys = "00000000-0000-0000-0000-000000000000"
    cases: list[tuple[str, dict[str, str], int]] = [
        ("?status=open", {}, 200),
        ("?limit=101", {}, 400),
        ("?cursor=AAAA", {}, 400),
        ("?nothing=1", {}, 400),
        ("?limit=1&limit=2", {}, 400),
        ("", {"Accept": "text/html"}, 406),
        ("", {"Accept": ""}, 406),
        ("", {"Accept": "application/json-seq"}, 406),
        ("", {"Accept": "multipart/*/*"}, 406),
        ("", {"Accept": "application/json; indent=4"}, 200),
        ("", {"X-Tenant-ID": nobodys}, 403),
        ("", {"Host": "nobody.example"}, 404),
        ("", {"Host": ""}, 400),
    ]
    for query, headers, status in cases:
        assert is_short(client.get(LIST)) or is_short(client.get(LIST))
        answer = client.get(f"{LIST}{query}", headers=headers)
        assert (answer.status_code, is_short(answer)) == (status, False), query or headers
    assert is_short(client.get(f"{LIST}?limit=2", headers={"Accept": "application/json, text/plain, */*"}))
    assert client.head(LIST).status_code == 200


def test_a_way_is_learned_by_a_sign_in_for_itself(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("Itself")
    client = api(tenant)
    asked_twice(client, LIST)
    client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    assert client.get(LIST).status_code == 401
    client.credentials()
    assert client.get(LIST).status_code == 401


def test_credentials_longer_than_any_of_ours_are_not_remembered(committed: NewTenant) -> None:
    owner = actor_of(committed("Padded"))
    made = api_keys.create_api_key(actor=owner, name="Padded", scopes=["invoices:read"])
    answers = asked_twice(program(" " * LONGEST_CREDENTIALS + made.secret), LIST)
    assert [(answer.status_code, is_short(answer)) for answer in answers] == [(200, False)] * 2


def test_limits_hold_and_count_each_call_once(committed: NewTenant, api: ApiFor, settings: Any) -> None:
    client = api(committed("Counted"))
    settings.RATE_LIMITS_ENFORCED = True
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "user": (4, 3600)}
    refusals = REGISTRY.get_sample_value("insula_rate_limited_total", {"rule": "user"}) or 0
    answers = [client.get(LIST) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]
    assert [is_short(answer) for answer in answers[:4]] == [False, True, True, True]
    left = [re.findall(r'"user";r=(\d+)', answer["RateLimit"]) for answer in answers[:4]]
    assert left == [["3"], ["2"], ["1"], ["0"]]
    assert answers[4]["Retry-After"]
    assert REGISTRY.get_sample_value("insula_rate_limited_total", {"rule": "user"}) == refusals + 2


def test_a_refusal_after_counting_counts_once(committed: NewTenant, api: ApiFor, settings: Any) -> None:
    tenant = committed("Once")
    client = api(tenant)
    asked_twice(client, LIST)
    settings.RATE_LIMITS_ENFORCED = True
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "user": (9, 3600)}
    User.objects.filter(email=f"owner@{tenant.slug}.test").update(must_change_password=True)
    refused = client.get(LIST)
    assert refused.status_code == 403
    assert '"user";r=8' in refused["RateLimit"]


def test_a_server_that_forgets_or_ends_a_connection_costs_nothing_but_time(committed: NewTenant, api: ApiFor) -> None:
    def forget() -> None:
        connection.connection.execute("DEALLOCATE ALL")

    def end() -> None:
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("select pg_terminate_backend(%s, 60000)", [connection.connection.info.backend_pid])
        other.close()

    client = api(committed("Lost"))
    assert is_short(asked_twice(client, LIST)[1])
    for loss in (forget, end):
        loss()
        with capture_logs() as lines:
            answers = asked_twice(client, LIST)
        assert [answer.status_code for answer in answers] == [200, 200]
        assert [is_short(answer) for answer in answers] == [False, True]
        assert [line["event"] for line in lines] == ["thin_reads.failed"]


def test_identity_is_the_same_from_either_question(committed: NewTenant, anonymous_api: APIClient) -> None:
    tenant = committed("Same identity")
    for role in ROLE_PERMISSIONS:
        body = {"email": f"{role.lower()}@{tenant.slug}.test", "password": PASSWORD, "tenant": tenant.key}
        token = anonymous_api.post("/api/v1/auth/signin", body).json()["access"]
        claims, origin = tokens.read_access(token), origins.origin_of(RequestFactory().get("/"), "API")
        assert claims.tenant_id is not None
        who = {"family_id": claims.family_id, "user_id": claims.user_id, "tenant_id": claims.tenant_id}
        question, read = identity.at_once(**who)
        (rows,) = read_at_once(question)
        found = read(rows, origin)
        assert found is not None
        assert found == identity.identify(**who, channel=Channel.API, origin=origin)


def test_a_key_goes_the_short_way_until_its_use_is_to_be_noted(committed: NewTenant) -> None:
    tenant = committed("Keys")
    furnish(tenant)
    owner = actor_of(tenant)
    with in_tenant(tenant):
        made = api_keys.create_api_key(actor=owner, name="Reader", scopes=["invoices:read"])
    rows = ApiKey.objects.filter(hint=key_secrets.hint_of(made.secret))
    client = program(made.secret)
    long, short = asked_twice(client, LIST)
    assert is_short(short) and short.json() == long.json() and short.json()["data"]
    noted = rows.get().last_used_at
    rows.update(last_used_at=utcnow() - timedelta(minutes=2))
    answers = asked_twice(client, LIST)
    assert [is_short(answer) for answer in answers] == [False, True]
    assert noted and rows.filter(last_used_at__gt=noted).exists()
    for values in ({"scopes": ["clients:read"]}, {"revoked_at": utcnow()}, {"expires_at": utcnow()}):
        with changed(rows, **values):
            refused = asked_twice(client, LIST)
            assert {answer.status_code for answer in refused} == {403 if "scopes" in values else 401}
        assert is_short(asked_twice(client, LIST)[1])


def test_a_key_that_signs_goes_the_long_way(committed: NewTenant) -> None:
    tenant = committed("Signed")
    with in_tenant(tenant):
        made = api_keys.create_api_key(
            actor=actor_of(tenant), name="Signer", scopes=["invoices:read"], algorithm="hmac-sha256"
        )
    client, sign = program(made.secret), with_secret(made.signing_secret)

    def questions_of(path: str) -> int:
        with questions() as asked:
            headers = signed(sign, str(made.key.id), "GET", f"http://localhost{path}")
            assert client.get(path, headers=headers).json()["data"] == []
            return asked()

    questions_of(LIST)  # notes the key's use
    assert questions_of(LIST) == questions_of(f"{LIST}?status=draft")
    assert {answer.status_code for answer in asked_twice(client, LIST)} == {401}
    rows = ApiKey.objects.filter(hint=key_secrets.hint_of(made.secret))
    with changed(rows, algorithm=""):
        assert is_short(asked_twice(client, LIST)[1])
    assert {answer.status_code for answer in asked_twice(client, LIST)} == {401}


def test_nothing_can_be_written_by_it(committed: NewTenant) -> None:
    committed("Read only")
    assert django_settings.DATABASES["default"]["PREPARES"]
    with pytest.raises(Exception, match="read-only transaction"):
        read_at_once(_statement("DELETE FROM public.iam_user RETURNING id"))
    with connection.cursor() as cursor:
        cursor.execute("select 1")
        assert cursor.fetchone() == (1,)


def test_more_is_sent_than_a_socket_takes_at_once(committed: NewTenant) -> None:
    committed("Much")
    much = "x" * 3_000_000
    length, echo = Statement.of("SELECT length(%s::text)"), Statement.of("SELECT %s::text")
    lengths, echoed = read_at_once((length, [much]), (echo, [much]))
    assert lengths == [(len(much),)] and echoed == [(much,)]


def test_inside_a_transaction_it_is_refused(committed: NewTenant) -> None:
    committed("Inside")
    with owner_transaction(), pytest.raises(RuntimeError, match="transaction"):
        read_at_once(_statement("SELECT 1"))


@pytest.mark.parametrize("sql", ["SELECT name LIKE 'a%%'", "SELECT 100 % 7"])
def test_a_per_cent_sign_is_a_parameters_or_refused(sql: str) -> None:
    with pytest.raises(ValueError, match="per cent"):
        Statement.of(sql)


def _statement(sql: str) -> Any:
    return Statement.of(sql), ()

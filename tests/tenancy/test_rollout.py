"""One workspace for all, or many: the same installation, by one setting."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.iam.models import Membership, Role, User
from apps.tenancy import deleting, rollout, selectors, services
from apps.tenancy.default_workspace import default_workspace
from apps.tenancy.errors import OnlyWorkspace
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.factories.iam import PASSWORD
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.processes import REPOSITORY
from tests.fixtures.tenants import NewTenant, remove
from tests.iam.handover import land
from tests.iam.threads import at_once

PLATFORM = django_settings.PLATFORM_HOST


@pytest.fixture(autouse=True)
def nothing_cached(settings: Any) -> None:
    """No earlier test's workspace, whose creation was rolled back, is remembered."""
    for mode in rollout.RolloutMode:
        settings.ROLLOUT_MODE = mode.value
        selectors.forget_host(PLATFORM)
    settings.ROLLOUT_MODE = "MULTI_TENANT"


@pytest.fixture
def single(settings: Any, db: None) -> TenantView:
    """The mode of one workspace, which is prepared."""
    settings.ROLLOUT_MODE = "SINGLE_TENANT"
    made = default_workspace()
    services.provision_tenant(tenant_id=made.id)
    return default_workspace()


@pytest.fixture
def single_committed(settings: Any, committed: NewTenant) -> Iterator[None]:
    """The mode of one workspace for threads; what they make is removed."""
    settings.ROLLOUT_MODE = "SINGLE_TENANT"
    yield
    for tenant in Tenant.objects.filter(is_default=True):
        remove(selectors.view(tenant))


def _sign_up(number: int = 0, **values: Any) -> Any:
    body = {"email": f"joiner{number}@single.test", "password": PASSWORD, "first_name": "Jo", "last_name": "Doe"}
    return APIClient(SERVER_NAME=PLATFORM).post("/api/v1/auth/signup", {**body, **values})


def test_a_bad_mode_refuses_to_start() -> None:
    environment = {**os.environ, "ROLLOUT_MODE": "ONE"}
    told = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode != 0
    assert "ROLLOUT_MODE is 'ONE'; it must be MULTI_TENANT or SINGLE_TENANT." in told.stderr


def test_eight_starts_make_one_workspace(single_committed: None) -> None:
    made = at_once(8, lambda _: default_workspace().id)
    assert len(set(made)) == 1
    assert list(Tenant.objects.filter(is_default=True).values_list("pk", flat=True)) == made[:1]
    created = AuditEntry.objects.filter(tenant_id=made[0], action="tenancy.tenant.create")
    assert created.count() == 1


def test_eight_sign_ups_join_the_one_workspace(single_committed: None) -> None:
    answers = at_once(8, _sign_up)
    try:
        assert [answer.status_code for answer in answers] == [201] * 8
        (key,) = {answer.json()["tenant"]["key"] for answer in answers}
        tenant = Tenant.objects.get(key=key)
        assert tenant.is_default
        assert list(Membership.objects.filter(tenant=tenant).values_list("role", flat=True)) == [Role.MEMBER] * 8
    finally:
        Membership.objects.filter(user__email__endswith="@single.test").delete()
        User.objects.filter(email__endswith="@single.test").delete()


def test_sign_ups_at_once_take_no_more_seats_than_there_are(single_committed: None, settings: Any) -> None:
    settings.SEATS_PER_WORKSPACE = 2
    answers = at_once(4, _sign_up)
    try:
        assert sorted(answer.status_code for answer in answers) == [201, 201, 402, 402]
    finally:
        Membership.objects.filter(user__email__endswith="@single.test").delete()
        User.objects.filter(email__endswith="@single.test").delete()


def test_the_name_of_one_of_many_is_not_taken_again(acme: TenantView, settings: Any) -> None:
    settings.ROLLOUT_MODE, settings.DEFAULT_WORKSPACE_NAME = "SINGLE_TENANT", acme.name
    assert default_workspace().name == f"{acme.name} 2"


def test_an_existing_workspace_can_become_the_one_and_back(
    acme: TenantView, globex: TenantView, settings: Any, api: ApiFor
) -> None:
    settings.ROLLOUT_MODE, settings.DEFAULT_WORKSPACE_KEY = "SINGLE_TENANT", acme.key
    assert default_workspace().id == acme.id
    settings.DEFAULT_WORKSPACE_KEY = globex.key
    assert default_workspace().id == globex.id
    settings.DEFAULT_WORKSPACE_KEY = ""
    assert default_workspace().id == globex.id
    assert Tenant.objects.filter(is_default=True).count() == 1

    settings.ROLLOUT_MODE = "MULTI_TENANT"
    for tenant in (acme, globex):
        assert api(tenant).get("/api/v1/tenant").status_code == 200
        assert Client(SERVER_NAME=tenant.host).get("/sign-in/").status_code == 200


def test_a_key_of_nobody_is_refused(acme: TenantView, settings: Any) -> None:
    settings.ROLLOUT_MODE, settings.DEFAULT_WORKSPACE_KEY = "SINGLE_TENANT", "nobody00"
    with pytest.raises(ImproperlyConfigured, match="nobody00"):
        default_workspace()


def test_the_other_workspaces_are_not_served(
    acme: TenantView, api: ApiFor, single: TenantView, settings: Any, browser_client: BrowserFor
) -> None:
    settings.ROLLOUT_MODE = "MULTI_TENANT"
    program, browser = api(acme), browser_client(acme)
    settings.ROLLOUT_MODE = "SINGLE_TENANT"
    assert problem(program.get("/api/v1/tenant"), 403)["code"] == "tenant_not_available"
    assert browser.get("/").status_code == 404
    body = {"email": f"owner@{acme.slug}.test", "password": PASSWORD, "tenant": acme.key}
    assert APIClient(SERVER_NAME=PLATFORM).post("/api/v1/auth/signin", body).status_code == 403
    assert single.is_default


def test_a_sign_up_joins_and_needs_no_name(single: TenantView) -> None:
    answer = _sign_up(tenant_name="Ignored")
    assert (answer.status_code, answer.json()["tenant"]["key"]) == (201, single.key)
    assert not Tenant.objects.filter(name="Ignored").exists()
    again = _sign_up()
    assert again.status_code == 201
    assert Membership.objects.get(user__email="joiner0@single.test").role == Role.MEMBER


def test_somebody_banned_does_not_join_again(single: TenantView) -> None:
    assert _sign_up().status_code == 201
    Membership.objects.filter(tenant_id=single.id).update(status="BANNED")
    assert problem(_sign_up(), 403)["code"] == "not_a_member"


def test_nobody_joins_a_suspended_workspace(single: TenantView) -> None:
    services.suspend_tenant(actor=system(single.id), tenant_id=single.id)
    assert problem(_sign_up(), 403)["code"] == "tenant_not_available"
    assert not User.objects.filter(email="joiner0@single.test").exists()


def test_among_many_a_sign_up_needs_a_name(acme: TenantView) -> None:
    errors = problem(_sign_up(), 400)["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [("tenant_name", "required")]


def test_pages_on_the_platforms_own_host(single: TenantView) -> None:
    client = Client(SERVER_NAME=PLATFORM)
    assert client.get("/")["Location"] == "/sign-in/?next=%2F"
    page = client.get("/sign-up/").content.decode()
    assert 'name="tenant_name"' not in page
    names = {"first_name": "Jo", "last_name": "Doe", "email": "jo@single.test", "password": PASSWORD}
    progress = client.post("/sign-up/", names)["Location"]
    entrance = client.get(progress)["Location"]
    assert entrance.startswith(f"{django_settings.PLATFORM_URL}/sign-in/handoff/")
    assert land(entrance, client)["Location"] == "/"

    dashboard = client.get("/").content.decode()
    assert single.name in dashboard
    assert 'popovertarget="workspaces"' not in dashboard
    assert "/workspaces/switch/" not in dashboard
    assert client.get("/sign-in/workspace/").status_code == 404
    assert client.get("/settings/").status_code == 403
    assert Client(SERVER_NAME=single.host).get("/sign-in/").status_code == 200


def test_the_operators_admin_and_machines_stay_on_the_platforms_host(single: TenantView) -> None:
    client = Client(SERVER_NAME=PLATFORM)
    assert client.get("/admin/login/").status_code == 200
    assert client.get("/health").json()["rollout_mode"] == "SINGLE_TENANT"
    assert client.get("/metrics").status_code == 200
    assert client.post("/webhooks/stripe/payments/", b"{}", content_type="application/json").status_code == 400


def test_the_first_request_makes_the_workspace(db: None, settings: Any) -> None:
    settings.ROLLOUT_MODE = "SINGLE_TENANT"
    assert not Tenant.objects.filter(is_default=True).exists()
    answer = Client(SERVER_NAME=PLATFORM).get("/")
    made = Tenant.objects.get(is_default=True)
    # It waits for its schema: the visitor sees how far that is.
    assert answer["Location"] == f"{django_settings.PLATFORM_URL}/sign-up/{made.key}/"
    assert Client(SERVER_NAME=PLATFORM).get(f"/sign-up/{made.key}/").status_code == 200


def test_the_only_workspace_is_not_deleted(single: TenantView) -> None:
    with pytest.raises(OnlyWorkspace):
        deleting.delete_tenant(actor=system(single.id), tenant_id=single.id)


def test_among_many_a_default_can_be_deleted_and_a_new_one_follows(single: TenantView, settings: Any) -> None:
    settings.ROLLOUT_MODE = "MULTI_TENANT"
    deleting.delete_tenant(actor=system(single.id), tenant_id=single.id)
    settings.ROLLOUT_MODE = "SINGLE_TENANT"
    assert default_workspace().id != single.id
    assert rollout.is_single()
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from public.tenancy_tenant where is_default")
        assert cursor.fetchone()[0] == 1


def test_the_first_owner_is_named_on_the_command_line(single: TenantView, capsys: Any) -> None:
    assert _sign_up().status_code == 201
    with pytest.raises(CommandError, match="is no active member"):
        call_command("make_owner", "nobody@single.test")
    call_command("make_owner", "Joiner0@single.test")
    assert Membership.objects.get(tenant_id=single.id).role == Role.OWNER
    with pytest.raises(CommandError, match="has an owner"):
        call_command("make_owner", "joiner0@single.test")
    assert "joiner0@single.test owns" in capsys.readouterr().out


def test_among_many_the_workspace_is_named(acme: TenantView) -> None:
    for arguments in (["x@y.test"], ["x@y.test", "--workspace", "nobody"]):
        with pytest.raises(CommandError):
            call_command("make_owner", *arguments)

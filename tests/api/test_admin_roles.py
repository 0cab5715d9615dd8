"""Each platform role in the operators' admin, and custom roles on the API's routes."""

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.iam import services
from apps.iam.models import Membership, User
from apps.iam.operating import VERBS
from apps.iam.permissions import CUSTOMISABLE, ROLE_PERMISSIONS
from apps.tenancy.selectors import TenantView
from tests.api import matrix
from tests.api.routes import CALLS
from tests.factories.iam import PASSWORD, operator, person
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import actor_of

# Their rows lie in tenants' schemas; without entering one, everybody is refused.
WITHIN_A_TENANT = {"invoices", "payments", "ledger", "webhooks"}


def _admin(email: str) -> Client:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    client.post("/admin/login/", {"username": email, "password": PASSWORD})
    return client


def _lists() -> list[str]:
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
        if model._meta.app_label not in WITHIN_A_TENANT
    ]


def test_support_sees_every_list_and_who_is_no_operator_none(acme: TenantView) -> None:
    support, owner = _admin(operator("PLATFORM_SUPPORT")), _admin("owner@acme.test")
    for path in _lists():
        assert support.get(path).status_code == 200, path
        assert owner.get(path).status_code == 302, path


def test_support_changes_nothing_about_people(acme: TenantView) -> None:
    user_id, _email = person(acme)
    before = User.objects.filter(pk=user_id).values().get()
    support = _admin(operator("PLATFORM_SUPPORT"))
    paths = [f"/admin/iam/user/{user_id}/confirm/{verb}/" for verb in VERBS]
    for path in [*paths, f"/admin/iam/user/{user_id}/temporary-password/", f"/admin/iam/user/{user_id}/impersonate/"]:
        support.post(path, {"reason": "r", "until": "", "minutes": "5", "tenant": str(acme.id)})
    assert User.objects.filter(pk=user_id).values().get() == before


# A role of one's own with exactly what a built-in role holds opens exactly what that one does.
@pytest.mark.parametrize("letter", ["M", "C"])
def test_a_custom_role_opens_what_its_permissions_open(acme: TenantView, api: ApiFor, letter: str) -> None:
    role = matrix.ROLES[letter]
    owner = actor_of(acme)
    services.create_role(actor=owner, name="Twin", permissions=sorted(ROLE_PERMISSIONS[role] & CUSTOMISABLE))
    client = api(acme, "VIEWER")
    member = Membership.objects.get(tenant_id=acme.id, user__email=f"viewer@{acme.slug}.test")
    services.change_roles(actor=owner, membership_id=member.id, roles=["Twin"])
    for method, route in CALLS:
        allowed = matrix.API[method, route.name]
        if allowed is matrix.EVERYBODY or method != "GET":
            continue
        status = client.get(route.path()).status_code
        assert (status == 403) == (letter not in allowed), f"{method} {route.name}: {status}"

"""Setting endpoints up: who may, what is refused, what stays."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AuditEntry
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, PermissionRefused, ValidationFailed
from apps.core.rest.paging import PageRequest
from apps.core.versions import VersionConflict
from apps.tenancy.selectors import TenantView
from apps.webhooks import selectors, services
from apps.webhooks.errors import DeliveryNotFound, EndpointLimit, EndpointNotFound
from apps.webhooks.models import Attempt, Delivery, Endpoint, EndpointSecret, Message
from apps.webhooks.selectors import DeliveryFilters
from tests.factories.invoices import make_client
from tests.factories.webhooks import Receiver, deliveries, make_endpoint, turn
from tests.fixtures.tenants import actor_of, in_tenant

VERBS: dict[str, Callable[[Actor], Any]] = {
    "create": lambda actor: services.create_endpoint(actor=actor, url="https://example.com/", event_types=["*"]),
    "update": lambda actor: services.update_endpoint(actor=actor, endpoint_id=uuid4(), changes={}),
    "rotate": lambda actor: services.rotate_secret(actor=actor, endpoint_id=uuid4()),
    "enable": lambda actor: services.enable_endpoint(actor=actor, endpoint_id=uuid4()),
    "disable": lambda actor: services.disable_endpoint(actor=actor, endpoint_id=uuid4()),
    "delete": lambda actor: services.delete_endpoint(actor=actor, endpoint_id=uuid4()),
    "test": lambda actor: services.send_test_event(actor=actor, endpoint_id=uuid4()),
    "replay": lambda actor: services.replay(actor=actor, delivery_id=uuid4()),
    "replay_since": lambda actor: services.replay_since(actor=actor, endpoint_id=uuid4(), since=utcnow()),
    "list": lambda actor: selectors.list_endpoints(actor=actor, page=PageRequest()),
    "get": lambda actor: selectors.get_endpoint(actor=actor, endpoint_id=uuid4()),
    "deliveries": lambda actor: selectors.list_deliveries(actor=actor, page=PageRequest(), filters=DeliveryFilters()),
    "delivery": lambda actor: selectors.get_delivery(actor=actor, delivery_id=uuid4()),
}


@pytest.mark.parametrize("verb", VERBS)
def test_only_who_may_set_webhooks_up_may_do_anything(acme: TenantView, verb: str) -> None:
    for role in ("ACCOUNTANT", "MEMBER", "VIEWER"):
        with in_tenant(acme), pytest.raises(PermissionRefused):
            VERBS[verb](actor_of(acme, role))


def test_another_workspace_sees_and_changes_nothing(acme: TenantView, globex: TenantView) -> None:
    endpoint_id = make_endpoint(acme).endpoint.id
    with in_tenant(acme):
        make_client(actor_of(acme))
    (delivery,) = deliveries(acme)
    stranger = actor_of(globex)
    with in_tenant(globex):
        assert selectors.list_endpoints(actor=stranger, page=PageRequest()).rows == []
        for call in (
            lambda: selectors.get_endpoint(actor=stranger, endpoint_id=endpoint_id),
            lambda: services.update_endpoint(actor=stranger, endpoint_id=endpoint_id, changes={"description": "x"}),
            lambda: services.rotate_secret(actor=stranger, endpoint_id=endpoint_id),
            lambda: services.delete_endpoint(actor=stranger, endpoint_id=endpoint_id),
            lambda: services.replay_since(actor=stranger, endpoint_id=endpoint_id, since=utcnow()),
        ):
            with pytest.raises(EndpointNotFound):
                call()
        with pytest.raises(DeliveryNotFound):
            selectors.get_delivery(actor=stranger, delivery_id=delivery.id)
        with pytest.raises(DeliveryNotFound):
            services.replay(actor=stranger, delivery_id=delivery.id)


def test_every_change_is_in_the_trail_without_secrets(acme: TenantView) -> None:
    actor = actor_of(acme, "ADMIN")
    with in_tenant(acme):
        made = services.create_endpoint(actor=actor, url="https://example.com/h?key=sesame", event_types=["invoice.*"])
        endpoint_id = made.endpoint.id
        services.update_endpoint(actor=actor, endpoint_id=endpoint_id, changes={"description": " The  books "})
        new = services.rotate_secret(actor=actor, endpoint_id=endpoint_id)
        services.disable_endpoint(actor=actor, endpoint_id=endpoint_id)
        services.enable_endpoint(actor=actor, endpoint_id=endpoint_id)
        services.delete_endpoint(actor=actor, endpoint_id=endpoint_id)
    entries = AuditEntry.objects.filter(tenant_id=acme.id, entity_id=str(endpoint_id)).order_by("pk")
    verbs = ["create", "update", "rotate", "disable", "enable", "delete"]
    assert [entry.action for entry in entries] == [f"webhooks.endpoint.{verb}" for verb in verbs]
    told = str([(entry.before, entry.after, entry.entity_label) for entry in entries])
    assert made.secret not in told and new.secret not in told and "sesame" not in told
    assert entries[1].after == {
        "description": "The books",
        **{k: v for k, v in entries[0].after.items() if k != "description"},
    }


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/", "invalid"),
        ("ftp://example.com/", "invalid"),
        ("https://user:password@example.com/", "invalid"),
        ("https://", "invalid"),
        ("https://exa mple.com/", "invalid"),
        ("https://example.com/\r\nX-Evil: 1", "invalid"),
        ("https://example.com/#part", "invalid"),
        ("https://127.0.0.1/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://169.254.169.254/latest/meta-data/", "private_address"),
        ("https://localhost/", "private_address"),
        ("https://db.internal/", "private_address"),
        ("https://localhost./", "private_address"),
        ("https://2130706433/", "private_address"),
        ("https://0x7f.1/", "private_address"),
        ("https://10.0.0.1./", "private_address"),
        ("https://../", "private_address"),
        ("https://example.com/" + "x" * 500, "max_length"),
        ("", "invalid"),
    ],
)
def test_an_address_that_may_not_be_called_is_refused(acme: TenantView, settings: Any, url: str, code: str) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    with in_tenant(acme), pytest.raises(ValidationFailed) as refusal:
        services.create_endpoint(actor=actor_of(acme), url=url, event_types=["*"])
    assert [(error.field, error.code) for error in refusal.value.errors] == [("url", code)]


@pytest.mark.parametrize(
    ("event_types", "code"),
    [([], "required"), (["invoice.payed"], "unknown"), (["webhook.test"], "unknown"), (["in*"], "unknown")],
)
def test_an_endpoint_listens_to_what_there_is(acme: TenantView, event_types: list[str], code: str) -> None:
    with in_tenant(acme), pytest.raises(ValidationFailed) as refusal:
        services.create_endpoint(actor=actor_of(acme), url="https://example.com/", event_types=event_types)
    assert [(error.field, error.code) for error in refusal.value.errors] == [("event_types", code)]


def test_a_stale_change_is_refused(acme: TenantView) -> None:
    seen, actor = make_endpoint(acme).endpoint, actor_of(acme)
    with in_tenant(acme):
        services.update_endpoint(
            actor=actor, endpoint_id=seen.id, changes={"event_types": ["client.*", "client.*"]}, expected={seen.version}
        )
        with pytest.raises(VersionConflict) as conflict:
            services.delete_endpoint(actor=actor, endpoint_id=seen.id, expected={seen.version})
        now = selectors.get_endpoint(actor=actor, endpoint_id=seen.id)
        assert now.event_types == ("client.*",) and conflict.value.present == now.version


def test_an_endpoint_is_switched_off_and_on(acme: TenantView) -> None:
    endpoint_id, actor = make_endpoint(acme).endpoint.id, actor_of(acme)
    with in_tenant(acme):
        off = services.disable_endpoint(actor=actor, endpoint_id=endpoint_id)
        assert (off.is_enabled, off.disabled_reason) == (False, "BY_MEMBER") and off.disabled_at
        assert "enable" in off.allowed_actions and "disable" not in off.allowed_actions
        with pytest.raises(IllegalState) as refusal:
            services.disable_endpoint(actor=actor, endpoint_id=endpoint_id)
        assert "enable" in refusal.value.extra["allowed_actions"]
        on = services.enable_endpoint(actor=actor, endpoint_id=endpoint_id)
        assert (on.is_enabled, on.disabled_reason, on.disabled_at) == (True, "", None)
        with pytest.raises(IllegalState):
            services.enable_endpoint(actor=actor, endpoint_id=endpoint_id)


def test_what_came_without_its_secret_sends_nothing_before_it_has_one(acme: TenantView) -> None:
    endpoint_id, actor = make_endpoint(acme).endpoint.id, actor_of(acme)
    with in_tenant(acme):
        services.disable_endpoint(actor=actor, endpoint_id=endpoint_id)
        EndpointSecret.objects.update(sealed_secret="")
        assert "enable" not in selectors.get_endpoint(actor=actor, endpoint_id=endpoint_id).allowed_actions
        with pytest.raises(IllegalState):
            services.enable_endpoint(actor=actor, endpoint_id=endpoint_id)
        with pytest.raises(IllegalState):
            services.send_test_event(actor=actor, endpoint_id=endpoint_id)
        services.rotate_secret(actor=actor, endpoint_id=endpoint_id)
        assert services.enable_endpoint(actor=actor, endpoint_id=endpoint_id).is_enabled


def test_a_workspace_has_no_more_than_so_many(acme: TenantView, settings: Any) -> None:
    settings.WEBHOOK_ENDPOINTS_PER_WORKSPACE = 2
    make_endpoint(acme)
    make_endpoint(acme)
    with pytest.raises(EndpointLimit):
        make_endpoint(acme)


def test_an_endpoint_goes_with_all_that_it_was_told(acme: TenantView, receiver: Receiver) -> None:
    endpoint_id = make_endpoint(acme, receiver.url).endpoint.id
    with in_tenant(acme):
        make_client(actor_of(acme))
    turn(acme, endpoint_id)
    with in_tenant(acme):
        assert Attempt.objects.count() == 1
        with CaptureQueriesContext(connection) as asked:
            services.delete_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id)
        assert not any('"response_body"' in each["sql"] for each in asked)
        for model in (Endpoint, EndpointSecret, Delivery, Attempt):
            assert not model.objects.exists()
        with pytest.raises(EndpointNotFound):
            services.delete_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id)


@pytest.mark.parametrize("values", [{"is_enabled": False}, {"disabled_reason": "GONE"}, {"event_types": []}])
def test_the_database_refuses_half_truths(acme: TenantView, values: dict[str, Any]) -> None:
    make_endpoint(acme)
    with in_tenant(acme), pytest.raises(IntegrityError), transaction.atomic():
        Endpoint.objects.update(**values)


def test_what_is_old_goes_with_its_log(acme: TenantView, receiver: Receiver) -> None:
    endpoint_id, actor = make_endpoint(acme, receiver.url).endpoint.id, actor_of(acme)
    with in_tenant(acme):
        make_client(actor)
        make_client(actor)
    turn(acme, endpoint_id)
    with in_tenant(acme):
        make_client(actor)
        old = utcnow() - timedelta(days=31)
        Message.objects.update(occurred_at=old)
        make_client(actor)
        with CaptureQueriesContext(connection) as asked:
            assert services.purge() == 2
        assert not any('"payload"' in each["sql"] or '"response_body"' in each["sql"] for each in asked)
        # One is on its way still, one is fresh.
        assert (Message.objects.count(), Delivery.objects.count(), Attempt.objects.count()) == (2, 2, 0)
        assert services.purge() == 0

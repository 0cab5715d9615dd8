"""Every table that the walls guard, read off the models, and a row for each shared one."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.apps import apps as registry
from django.conf import settings
from django.db import connection, models

from apps.core.clock import utcnow
from apps.core.tenants import owner_transaction
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView

Model = type[models.Model]

# Where a value of the right type is not enough for a table's own checks.
FITTING: dict[str, dict[str, Any]] = {
    "notifications_email_delivery": {"next_attempt_at": datetime(2100, 1, 1, tzinfo=UTC)},
    "tenancy_brand": {"accent": "#123456"},
    "iam_api_key": {"scopes": ["invoices:read"]},
}


def _is_shared(model: Model) -> bool:
    app = registry.get_app_config(model._meta.app_label).name
    return model._meta.label_lower in settings.SHARED_MODELS or app not in settings.TENANT_APPS


def _real_models() -> list[Model]:
    found = {model._meta.db_table: model for model in registry.get_models(include_auto_created=True)}
    return [model for model in found.values() if model._meta.managed and not model._meta.proxy]


def _holds_tenants(model: Model) -> bool:
    return model is Tenant or any(field.column == "tenant_id" for field in model._meta.local_concrete_fields)


def tenant_column(model: Model) -> str:
    """The column that says whose row it is."""
    return "id" if model is Tenant else "tenant_id"


TENANT_TABLES = sorted(model._meta.db_table for model in _real_models() if not _is_shared(model))
SHARED_MODELS = sorted(
    (model for model in _real_models() if _is_shared(model) and _holds_tenants(model)), key=lambda m: m._meta.db_table
)
CLOSED_TABLES = sorted(
    model._meta.db_table
    for model in _real_models()
    if _is_shared(model) and not _holds_tenants(model) and model._meta.db_table not in settings.TENANT_RIGHTS
)


def row_of(model: Model, tenant: TenantView) -> dict[str, Any]:
    """A row of `tenant` in a shared table, written as the platform's owner; returned as JSON for forgeries."""
    table = model._meta.db_table
    with owner_transaction(), connection.cursor() as cursor:
        key: Any = tenant.id
        if model is not Tenant:
            instance = model(**_values(model, tenant))
            models.Model.save_base(instance, force_insert=True, raw=True)
            key = instance.pk
            # No table can be altered while checks of it wait for the commit.
            cursor.execute("set constraints all immediate; set constraints all deferred")
        cursor.execute(f'select to_jsonb(t)::text from public."{table}" t where {_key(model)} = %s', [key])
        row: dict[str, Any] = json.loads(cursor.fetchone()[0])
    return row


def _key(model: Model) -> str:
    assert model._meta.pk is not None
    return f'"{model._meta.pk.column}"'


def _values(model: Model, tenant: TenantView) -> dict[str, Any]:
    fitting = FITTING.get(model._meta.db_table, {})
    values: dict[str, Any] = {}
    for field in model._meta.local_concrete_fields:
        if field.name in fitting:
            values[field.name] = fitting[field.name]
        elif field.column == "tenant_id":
            values[field.attname] = tenant.id
        elif isinstance(field, models.ForeignKey):
            if not field.null:
                values[field.attname] = _parent(field.related_model, tenant)
        elif not (field.has_default() or field.null or _may_be_empty(field)):
            values[field.name] = _value(field)
    return values


def _may_be_empty(field: "models.Field[Any, Any]") -> bool:
    return field.blank and isinstance(field, models.CharField | models.TextField)


def _parent(model: Any, tenant: TenantView) -> Any:
    rows = model._base_manager.all()
    if model is not Tenant and _holds_tenants(model):
        rows = rows.filter(tenant_id=tenant.id)
    existing = rows.values_list("pk", flat=True).first()
    if existing is not None:
        return existing
    if model is Tenant:
        return tenant.id
    parent = model(**_values(model, tenant))
    models.Model.save_base(parent, force_insert=True, raw=True)
    return parent.pk


def _value(field: "models.Field[Any, Any]") -> Any:
    if field.choices:
        return next(value for value, _ in field.flatchoices if value)
    if isinstance(field, models.UUIDField):
        return uuid4()
    if isinstance(field, models.DateTimeField):
        return utcnow() + timedelta(days=1)
    if isinstance(field, models.DateField):
        return utcnow().date()
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, models.IntegerField | models.DecimalField):
        return 1
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, models.BinaryField):
        return b"0"
    return uuid4().hex[: field.max_length or 32]

"""Which tables live in ``public`` and which in every tenant's schema."""

from typing import Any

from django.conf import settings
from django.db import connections
from django_tenants.routers import TenantSyncRouter
from django_tenants.utils import get_public_schema_name


class SideRouter(TenantSyncRouter):
    """django-tenants' routing by app, refined by `SHARED_MODELS`: single shared tables of tenant apps."""

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool | None:
        """Whether an operation on this model runs in the schema that is being migrated."""
        in_public: bool = getattr(connections[db], "schema_name", None) == get_public_schema_name()
        if model_name and f"{app_label}.{model_name.lower()}" in settings.SHARED_MODELS:
            return in_public
        if hints.get("side"):
            return (hints["side"] == "shared") is in_public
        if in_public and app_label in settings.TENANT_APPS_WITH_SHARED_MODELS:
            return False
        verdict: bool | None = super().allow_migrate(db, app_label, model_name, **hints)
        return verdict

"""Put every sealed secret under the newest of SEALING_KEYS."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from apps.core import sealing
from apps.core.tenants import PUBLIC, TenantScope, tenant_scope
from apps.tenancy import selectors
from apps.tenancy.models import Tenant


class Command(BaseCommand):
    """``manage.py reseal``: safe to repeat; after it the older keys can be taken out of the settings."""

    help = "Encrypt the secrets in all tables anew with the first of SEALING_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk every sealed column, row by row, in the shared tables and in each tenant's own.

        Raises:
            CommandError: rows that no key opens are left as they are, and named at the end.
        """
        done = 0
        closed: list[str] = []
        with tenant_scope(PUBLIC):
            # Deleted ones, too: they can be restored.
            tenants = [selectors.view(row).scope for row in Tenant.objects.exclude(schema_version="").order_by("pk")]
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                if isinstance(field, sealing.SealedField):
                    for scope in tenants if _is_tenants(model) else [PUBLIC]:
                        resealed, unopened = _reseal(model, field.attname, scope)
                        done, closed = done + resealed, closed + unopened
        self.stdout.write(f"{done} secrets are under the newest key.")
        if closed:
            raise CommandError("No key opens: " + ", ".join(closed))


def _is_tenants(model: type[models.Model]) -> bool:
    app = apps.get_app_config(model._meta.app_label).name
    return app in settings.TENANT_APPS and model._meta.label_lower not in settings.SHARED_MODELS


def _reseal(model: type[models.Model], column: str, scope: TenantScope) -> tuple[int, list[str]]:
    done, closed = 0, []
    with tenant_scope(scope):
        rows = model._default_manager.exclude(**{column: ""}).values_list("pk", flat=True)
        for pk in list(rows):
            with transaction.atomic():
                row = model._default_manager.select_for_update(of=("self",)).filter(pk=pk).first()
                if row is None or not getattr(row, column):
                    continue
                try:
                    fresh = sealing.reseal(getattr(row, column), purpose=sealing.purpose_of(row, column))
                except sealing.CannotUnseal as error:
                    closed.append(str(error))
                    continue
                model._default_manager.filter(pk=pk).update(**{column: fresh})
                done += 1
    return done, closed

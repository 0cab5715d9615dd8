"""Put every sealed secret under the newest of SEALING_KEYS."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from apps.core import sealing
from apps.core.tenants import public_scope


class Command(BaseCommand):
    """``manage.py reseal``: safe to repeat; after it the older keys can be taken out of the settings."""

    help = "Encrypt the secrets in the shared tables anew with the first of SEALING_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk every sealed column, row by row.

        Raises:
            CommandError: rows that no key opens are left as they are, and named at the end.
        """
        done = 0
        closed: list[str] = []
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                if isinstance(field, sealing.SealedField):
                    resealed, unopened = _reseal(model, field.attname)
                    done, closed = done + resealed, closed + unopened
        self.stdout.write(f"{done} secrets are under the newest key.")
        if closed:
            raise CommandError("No key opens: " + ", ".join(closed))


def _reseal(model: type[models.Model], column: str) -> tuple[int, list[str]]:
    done, closed = 0, []
    with public_scope():
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

"""Tells which of `API_KEY_PEPPERS` are still in use."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count

from apps.core.tenants import public_scope
from apps.iam import key_secrets
from apps.iam.api_key_models import ApiKey


class Command(BaseCommand):
    """Before a pepper is taken out: keys under it would end. A key moves to the newest when it is used."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Count the keys that live under each pepper, the newest first, and under none of them."""
        with public_scope():
            living = ApiKey.objects.filter(revoked_at=None).values_list("pepper").annotate(Count("pk"))
            counts = dict(living)
        for place, name in enumerate(key_secrets.pepper_names(), start=1):
            self.stdout.write(f"pepper {place} ({name}): {counts.pop(name, 0)} keys")
        if lost := sum(counts.values()):
            self.stdout.write(f"no pepper any more: {lost} keys, which nobody can use")

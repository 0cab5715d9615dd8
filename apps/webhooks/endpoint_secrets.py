"""The secrets of endpoints: sealed at rest, several at once while they are changed."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from apps.core import sealing
from apps.webhooks import signing
from apps.webhooks.models import Endpoint, EndpointSecret

# The current one and former ones that still sign; whoever changes it more often than that loses the oldest.
MOST_AT_ONCE = 4
HINT = 4


def give(endpoint: Endpoint, *, now: datetime) -> str:
    """Give `endpoint`, which has no current secret, a new one; returns its text, which nobody sees again."""
    secret = signing.new_secret()
    row = EndpointSecret(endpoint=endpoint, hint=secret[-HINT:], created_at=now)
    row.sealed_secret = sealing.seal(secret, purpose=sealing.purpose_of(row, "sealed_secret"))
    row.save(force_insert=True)
    return secret


def retire(endpoint: Endpoint, *, now: datetime, until: datetime) -> datetime | None:
    """Let the current secret sign along `until` a moment and end it then; returns that moment, None without one.

    Secrets whose time is over are removed; without any time to sign along, that is all of them.
    """
    if until <= now:
        EndpointSecret.objects.filter(endpoint=endpoint).delete()
        return None
    EndpointSecret.objects.filter(endpoint=endpoint, expires_at__lte=now).delete()
    # One that came without its text, by an archive, signs nothing.
    EndpointSecret.objects.filter(endpoint=endpoint, sealed_secret="").delete()
    current = EndpointSecret.objects.filter(endpoint=endpoint, expires_at=None)
    retired = current.update(expires_at=until)
    former = EndpointSecret.objects.filter(endpoint=endpoint).order_by("-created_at", "-pk")
    EndpointSecret.objects.filter(pk__in=list(former.values_list("pk", flat=True)[MOST_AT_ONCE - 1 :])).delete()
    return until if retired else None


def signing_secrets(endpoint_id: UUID, *, now: datetime) -> list[str]:
    """The texts of all that sign now, the current one first.

    Raises:
        CannotUnseal: none of the installation's present keys opens one.
    """
    rows = EndpointSecret.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), endpoint_id=endpoint_id)
    return [
        sealing.unseal(row.sealed_secret, purpose=sealing.purpose_of(row, "sealed_secret"))
        for row in rows.exclude(sealed_secret="").order_by("-created_at", "-pk")
    ]


def has_current(endpoint: Endpoint) -> bool:
    """Whether there is one that signs."""
    return EndpointSecret.objects.filter(endpoint=endpoint, expires_at=None).exclude(sealed_secret="").exists()

"""A person's own sign-ins, as devices: looking at them, ending one or all others."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import NotFound
from apps.core.tenants import public_scope
from apps.iam import signins, standing
from apps.iam.models import Channel, TokenFamily, User
from apps.iam.sso import enforcing

SHOWN = 100
# Why a sign-in ended whose person does not want its device any more.
ENDED, ENDED_WITH_OTHERS = "ended", "signout_others"
THROWN_OUT = (ENDED, ENDED_WITH_OTHERS)
# The order matters: nearly every browser also calls itself another one.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One living sign-in. `tenant` is the workspace's name, empty for the platform itself."""

    id: UUID
    channel: str
    device: str
    user_agent: str
    ip: str | None
    tenant: str
    started_at: datetime
    last_seen_at: datetime
    is_current: bool


def list_devices(*, actor: Actor, current: UUID | None, now: datetime | None = None) -> list[DeviceView]:
    """The actor's living sign-ins in every workspace, the present one first, then the last used."""
    moment = now or utcnow()
    idle = Q(channel=Channel.BROWSER, last_seen_at__lt=moment - timedelta(seconds=settings.SESSION_COOKIE_AGE))
    spent = Q(channel=Channel.API, last_seen_at__lt=moment - timedelta(seconds=settings.REFRESH_TOKEN_SECONDS))
    endless = Q(ends_at=None, started_at__lte=moment - timedelta(days=settings.SIGN_IN_LASTS_DAYS))
    over = Q(ends_at__lte=moment) | endless
    with public_scope():
        rows = _living(actor).exclude(idle | spent | over).select_related("tenant").order_by("-last_seen_at")[:SHOWN]
        found = [
            DeviceView(
                id=row.id,
                channel=row.channel,
                device=device_of(row.user_agent, row.channel),
                user_agent=row.user_agent,
                ip=row.ip,
                tenant=row.tenant.name if row.tenant else "",
                started_at=row.started_at,
                last_seen_at=row.last_seen_at,
                is_current=row.id == current,
            )
            for row in rows
        ]
    return sorted(found, key=lambda device: not device.is_current)


def end_device(*, actor: Actor, family_id: UUID) -> None:
    """End one of the actor's sign-ins.

    Raises:
        NotFound: unknown, ended, or somebody else's.
    """
    with public_scope(), transaction.atomic():
        if not _living(actor).filter(pk=family_id).exists():
            raise NotFound(_("There is no such session."))
        signins.revoke([family_id], ENDED)
        _record(actor, "iam.session.end", family_id, {"by": "list"})


def end_other_devices(*, actor: Actor, keep: UUID) -> int:
    """End every sign-in of the actor but `keep`; returns how many there were.

    Raises:
        FederatedSession: his workspace's provider vouched for him, who may not end what is elsewhere.
    """
    enforcing.require_own_sign_in(actor)
    with public_scope(), transaction.atomic():
        user = User.objects.select_for_update().get(pk=standing.person(actor))
        ended = signins.end_others(user, keep=keep, reason=ENDED_WITH_OTHERS)
        if ended:
            _record(actor, "iam.session.end_others", user.id, {"ended": ended})
        return ended


def device_of(user_agent: str, channel: str) -> str:
    """A short name for a browser or program, made of what it calls itself."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    own_name = re.match(r"[\w.-]{2,40}", user_agent)
    if browser or own_name:
        return browser or (own_name[0] if own_name else "")
    return _("A program") if channel == Channel.API else _("A browser")


def _living(actor: Actor) -> QuerySet[TokenFamily]:
    rows = TokenFamily.objects.filter(user_id=standing.person(actor), revoked_at=None)
    if actor.is_federated:
        rows = rows.filter(tenant_id=standing.tenant_of(actor))
    valid_after = User.objects.values_list("tokens_valid_after", flat=True).get(pk=standing.person(actor))
    return rows.filter(started_at__gte=valid_after) if valid_after else rows


def _record(actor: Actor, action: str, entity_id: UUID, after: dict[str, object]) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="session",
        entity_id=entity_id,
        entity_label=actor.email,
        after=after,
        severity=Severity.MEDIUM,
    )

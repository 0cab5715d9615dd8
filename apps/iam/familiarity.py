"""Whether a sign-in comes from where a person has signed in before; what was kept of his sign-ins tells."""

from datetime import datetime
from ipaddress import ip_address, ip_network
from uuid import UUID

from apps.core.actor import Origin
from apps.iam import devices
from apps.iam.models import TokenFamily

_LOOKED_AT = 200
# Providers hand out addresses within these.
_PREFIX = {4: 24, 6: 48}


def is_news(*, user_id: UUID, family_id: UUID, channel: str, origin: Origin, is_first: bool) -> bool:
    """Whether the device or the network is new to this person; nothing is to who signs in for the first time.

    Who was away for so long that nothing is kept of his sign-ins is told of any. Where the person ended a session
    from his list, its device is a stranger until somebody signs in with it anew.
    """
    earlier = TokenFamily.objects.filter(user_id=user_id, impersonator_id=None).exclude(pk=family_id)
    rows = [(_place(row), row) for row in earlier.order_by("-pk")[:_LOOKED_AT]]
    if not rows:
        return not is_first
    thrown_out: dict[tuple[str, str], datetime] = {}
    for place, row in rows:
        if row.revoked_reason in devices.THROWN_OUT and row.revoked_at:
            thrown_out[place] = max(row.revoked_at, thrown_out.get(place, row.revoked_at))
    known = {place for place, row in rows if place not in thrown_out or row.started_at > thrown_out[place]}
    here = (devices.device_of(origin.user_agent, channel), network_of(origin.ip))
    if here in thrown_out and here not in known:
        return True
    return here[0] not in {device for device, _ in known} or here[1] not in {network for _, network in known}


def _place(row: TokenFamily) -> tuple[str, str]:
    return devices.device_of(row.user_agent, row.channel), network_of(row.ip)


def network_of(ip: str | None) -> str:
    """The network that an address belongs to, as far as a person's own goes; empty without one."""
    if not ip:
        return ""
    address = ip_address(ip)
    return str(ip_network(f"{address}/{_PREFIX[address.version]}", strict=False))

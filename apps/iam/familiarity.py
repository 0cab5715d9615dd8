"""Whether a sign-in comes from where a person has signed in before; what was kept of his sign-ins tells."""

from ipaddress import ip_address, ip_network
from uuid import UUID

from apps.core.actor import Origin
from apps.iam.devices import device_of
from apps.iam.models import TokenFamily

_LOOKED_AT = 200
# Providers hand out addresses within these.
_PREFIX = {4: 24, 6: 48}


def is_news(*, user_id: UUID, family_id: UUID, channel: str, origin: Origin, is_first: bool) -> bool:
    """Whether the device or the network is new to this person; nothing is to who signs in for the first time.

    Who was away for so long that nothing is kept of his sign-ins is told of any.
    """
    earlier = TokenFamily.objects.filter(user_id=user_id, impersonator_id=None).exclude(pk=family_id)
    known = list(earlier.order_by("-pk").values_list("user_agent", "channel", "ip")[:_LOOKED_AT])
    if not known:
        return not is_first
    devices = {device_of(agent, its_channel) for agent, its_channel, _ip in known}
    networks = {network_of(ip) for _agent, _channel, ip in known}
    return device_of(origin.user_agent, channel) not in devices or network_of(origin.ip) not in networks


def network_of(ip: str | None) -> str:
    """The network that an address belongs to, as far as a person's own goes; empty without one."""
    if not ip:
        return ""
    address = ip_address(ip)
    return str(ip_network(f"{address}/{_PREFIX[address.version]}", strict=False))

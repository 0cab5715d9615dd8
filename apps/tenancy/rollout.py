"""Whether the installation serves many workspaces or exactly one (PRODUCT, "Rollout mode")."""

from enum import StrEnum

from django.conf import settings


class RolloutMode(StrEnum):
    """The values of the setting ``ROLLOUT_MODE``."""

    MULTI_TENANT = "MULTI_TENANT"
    SINGLE_TENANT = "SINGLE_TENANT"


def is_single() -> bool:
    """Whether everybody shares the one default workspace: no picker, no invitations, no names to choose."""
    return bool(settings.ROLLOUT_MODE == RolloutMode.SINGLE_TENANT)

"""Pictures of people, one a person and workspace. The table is shared (``public``)."""

from typing import ClassVar

from django.db import models

from apps.core import ids
from apps.tenancy.models import Tenant


class AvatarState(models.TextChoices):
    """Where a picture stands."""

    UPLOADING = "UPLOADING"
    SHOWN = "SHOWN"
    ENDED = "ENDED"


class Avatar(models.Model):
    """What of the storage a picture may occupy, written before anything is there, so that nothing stays behind unknown.

    `name` is the unguessable part of its files' names. Something may arrive under its upload's key until `expires_at`
    and a little longer; `is_swept` says that this was looked after.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    # Empty once the person is gone: the files are still to be removed.
    user = models.ForeignKey("iam.User", on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=32)
    state = models.CharField(max_length=10, choices=AvatarState, default=AvatarState.UPLOADING)
    content_type = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    is_swept = models.BooleanField(default=False)

    class Meta:
        db_table = "iam_avatar"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "name"], name="avatar_name_once"),
            models.UniqueConstraint(
                fields=["tenant", "user"], condition=models.Q(state="SHOWN"), name="avatar_shown_once"
            ),
            models.CheckConstraint(condition=models.Q(state__in=AvatarState.values), name="avatar_state_known"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["expires_at"], condition=~models.Q(state="SHOWN", is_swept=True), name="avatar_to_sweep"
            ),
        ]

"""A tenant's directory at work here: the tokens of its programs, what it says of members, and its groups."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core import ids
from apps.tenancy.models import Tenant


class ScimToken(models.Model):
    """What a directory's program shows; stored as a keyed digest, beside the few signs by which people know it.

    `creator_permissions`: what its maker might do, which bounds whom and what the directory may touch.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    hint = models.CharField(_("begins with"), max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    created_by_id = models.UUIDField(null=True)
    created_by_name = models.CharField(_("created by"), max_length=254, blank=True)
    creator_permissions = models.JSONField(default=list)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    class Meta:
        db_table = "iam_scim_token"
        verbose_name = _("directory token")
        verbose_name_plural = _("directory tokens")
        indexes: ClassVar = [models.Index(fields=["tenant", "-id"], name="scim_token_tenant")]

    def __str__(self) -> str:
        return self.name


class DirectoryEntry(models.Model):
    """What the directory says of one member; its id is the membership's, which is the SCIM id, too.

    `active` is empty when the directory took the attribute away; `facts` is what it says beside what is used here.
    `has_closed`: the ban on the member is the
    directory's, so the directory may lift it.
    """

    membership = models.OneToOneField(
        "iam.Membership", on_delete=models.CASCADE, primary_key=True, related_name="entry"
    )
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=255, blank=True)
    given_name = models.CharField(max_length=100, blank=True)
    family_name = models.CharField(max_length=100, blank=True)
    active = models.BooleanField(null=True, default=True)
    facts = models.JSONField(default=dict)
    has_closed = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "iam_directory_entry"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "external_id"], condition=~models.Q(external_id=""), name="directory_entry_external"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class DirectoryGroup(models.Model):
    """A group of the directory. Its members get `role` (a built-in one's name, a custom one's id) if it has one."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    display_name = models.CharField(_("name"), max_length=255)
    external_id = models.CharField(max_length=255, blank=True)
    role = models.CharField(_("role"), max_length=36, blank=True)
    members = models.ManyToManyField("iam.Membership", through="GroupPlace", related_name="directory_groups")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "iam_directory_group"
        verbose_name = _("directory group")
        verbose_name_plural = _("directory groups")
        constraints: ClassVar = [
            models.UniqueConstraint("tenant", Lower("display_name"), name="directory_group_name_once"),
            models.UniqueConstraint(fields=["id", "tenant"], name="directory_group_of_tenant"),
            models.CheckConstraint(condition=~models.Q(role="OWNER"), name="directory_group_gives_no_ownership"),
        ]

    def __str__(self) -> str:
        return self.display_name


class GroupPlace(models.Model):
    """A member's place in a group."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey(DirectoryGroup, on_delete=models.CASCADE, related_name="places")
    membership = models.ForeignKey("iam.Membership", on_delete=models.CASCADE, related_name="places")

    class Meta:
        db_table = "iam_directory_group_place"
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "membership"], name="group_place_once")]

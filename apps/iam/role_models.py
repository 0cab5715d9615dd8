"""Roles that a tenant makes for itself, and which of its members hold them. Both tables are shared (``public``)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core import ids
from apps.tenancy.models import Tenant


class CustomRole(models.Model):
    """A named set of permissions of one tenant. Words that the registry does not know allow nothing."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    permissions = ArrayField(models.CharField(max_length=40), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "iam_custom_role"
        constraints: ClassVar = [
            models.UniqueConstraint("tenant", Lower("name"), name="custom_role_name_once"),
            # What refers to a role and its tenant together refers to this (see `RoleGrant`).
            models.UniqueConstraint(fields=["id", "tenant"], name="custom_role_of_tenant"),
        ]

    def __str__(self) -> str:
        return self.name


class RoleGrant(models.Model):
    """A member holds a custom role. The role stays as long as anybody holds it.

    That grant, member and role are of one tenant is kept by foreign keys of two columns, which migration 0014 makes and
    Django does not know of; so for a group's members, directory entries and invitations.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    membership = models.ForeignKey("iam.Membership", on_delete=models.CASCADE, related_name="grants")
    role = models.ForeignKey(CustomRole, on_delete=models.CASCADE, related_name="grants")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "iam_role_grant"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["membership", "role"], name="role_grant_once"),
        ]

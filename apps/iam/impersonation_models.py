"""Operators at work in the name of members. The table is shared (``public``)."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import ids
from apps.tenancy.models import Tenant


class Impersonation(models.Model):
    """An operator's leave to be a member for some minutes: asked for, begun in one browser, and over.

    `digest` is of the token that his browser brings to the tenant's host, good once until `redeem_before`, and only
    for the browser behind `browser_digest`. `ends_at` is set when it begins.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("iam.User", on_delete=models.CASCADE, related_name="+")
    operator = models.ForeignKey("iam.User", on_delete=models.CASCADE, related_name="+")
    family = models.ForeignKey("iam.TokenFamily", on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=300)
    minutes = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64, default="", db_index=True)
    browser_digest = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField()
    redeem_before = models.DateTimeField()
    started_at = models.DateTimeField(_("began"), null=True)
    ends_at = models.DateTimeField(_("ends"), null=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True)

    class Meta:
        db_table = "iam_impersonation"
        verbose_name = _("impersonation")
        verbose_name_plural = _("impersonations")
        indexes: ClassVar = [models.Index(fields=["tenant", "-id"], name="impersonation_tenant")]

    def __str__(self) -> str:
        return str(self.id)

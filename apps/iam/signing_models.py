"""The keys that sign access tokens, once they were rotated for the first time. The table is shared (``public``)."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import ids
from apps.core.sealing import SealedField


class SigningKey(models.Model):
    """One key pair. When it signs and how long it verifies follows from the `signs_from` of all of them (`keys.py`).

    `private_sealed` is empty for the key of the settings and after retirement; a `withdrawn_at` key verifies nothing.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    kid = models.CharField(max_length=64, unique=True)
    public_pem = models.TextField()
    private_sealed = SealedField(blank=True, default="")
    published_at = models.DateTimeField(_("published"))
    signs_from = models.DateTimeField(_("signs from"), unique=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    class Meta:
        db_table = "iam_signing_key"
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering: ClassVar = ["-signs_from"]

    def __str__(self) -> str:
        return self.kid

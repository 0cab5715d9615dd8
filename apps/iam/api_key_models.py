"""API keys, and the nonces of signed requests. Both tables are shared (``public``) and closed to tenants' roles."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import ids
from apps.core.clock import utcnow
from apps.core.sealing import SealedField
from apps.tenancy.models import Tenant


class SignatureAlgorithm(models.TextChoices):
    """How requests of a key are signed (RFC 9421, 3.3); empty: they are not."""

    NONE = "", _("Not signed")
    HMAC_SHA256 = "hmac-sha256", _("Shared secret (HMAC-SHA256)")
    ED25519 = "ed25519", _("Public key (Ed25519)")
    ECDSA_P256 = "ecdsa-p256-sha256", _("Public key (ECDSA P-256)")


class ApiKeyState(models.TextChoices):
    """Where a key stands; follows from its moments."""

    ACTIVE = "ACTIVE", _("Active")
    EXPIRED = "EXPIRED", _("Expired")
    REVOKED = "REVOKED", _("Revoked")


class ApiKey(models.Model):
    """A program's way in: it acts as `user`, its maker, with no more than `scopes` and no more than he may himself.

    Only keyed digests are kept; `pepper` names what `digest` was keyed with. After a rotation the former secret is good
    until `previous_until`. `verifier`: the shared secret or the public key that signatures are checked with.
    `maker_key`: the key that made this one, whose end is its end.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("iam.User", on_delete=models.CASCADE, related_name="api_keys", verbose_name=_("made by"))
    maker_key = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="made_keys")
    name = models.CharField(_("name"), max_length=100)
    scopes = ArrayField(models.CharField(max_length=40))
    hint = models.CharField(_("key"), max_length=20)
    digest = models.CharField(max_length=64, unique=True)
    pepper = models.CharField(max_length=8)
    previous_digest = models.CharField(max_length=64, unique=True, null=True)
    previous_until = models.DateTimeField(null=True)
    algorithm = models.CharField(
        _("signature"), max_length=20, choices=SignatureAlgorithm, blank=True, default=SignatureAlgorithm.NONE
    )
    verifier = SealedField(blank=True, default="")
    previous_verifier = SealedField(blank=True, default="")
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("good until"), null=True)
    rotated_at = models.DateTimeField(_("rotated"), null=True)
    last_used_at = models.DateTimeField(_("last used"), null=True)
    last_used_ip = models.GenericIPAddressField(_("last used from"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    revoked_reason = models.CharField(max_length=30, blank=True)

    class Meta:
        db_table = "iam_api_key"
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(algorithm__in=SignatureAlgorithm.values), name="api_key_algorithm_known"
            ),
            models.CheckConstraint(
                condition=models.Q(algorithm="") | ~models.Q(verifier=""), name="api_key_signed_has_verifier"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "-id"], name="api_key_tenant")]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> ApiKeyState:
        """Where it stands now."""
        if self.revoked_at is not None:
            return ApiKeyState.REVOKED
        is_over = self.expires_at is not None and self.expires_at <= utcnow()
        return ApiKeyState.EXPIRED if is_over else ApiKeyState.ACTIVE

    @property
    def overlaps_until(self) -> datetime | None:
        """Until when the former secret is good beside the present one; empty when it is not."""
        is_good = self.previous_until is not None and self.previous_until > utcnow()
        return self.previous_until if is_good else None


class SignatureNonce(models.Model):
    """A signed request that was let in: the same nonce of the same key never is again while it could be valid."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "iam_signature_nonce"
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="signature_nonce_expires")]

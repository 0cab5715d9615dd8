"""Second factors: authenticator apps, passkeys, recovery codes. They are a person's own: no tenant may read them."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import ids
from apps.core.clock import utcnow
from apps.core.sealing import SealedField
from apps.tenancy.models import Tenant


class AuthenticatorApp(models.Model):
    """An app that shows six digits every 30 seconds (RFC 6238); it counts from `confirmed_at` on.

    `last_step` is the time step of the last code that was taken, so that no code is taken twice.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seed = SealedField()
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=utcnow)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "iam_authenticator_app"


class RecoveryCode(models.Model):
    """One of the codes for somebody whose device is lost, stored as its digest; spent when `used_at` is set."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=utcnow)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "iam_recovery_code"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]


class Passkey(models.Model):
    """A public key whose private half stays in a person's device or password manager (WebAuthn)."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    credential_id = models.BinaryField(unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    transports = ArrayField(models.CharField(max_length=20), default=list)
    is_synced = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=utcnow)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "iam_passkey"
        indexes: ClassVar[list[Any]] = [models.Index(fields=["user", "id"], name="passkey_user")]


class CeremonyPurpose(models.TextChoices):
    """What a passkey is asked for."""

    REGISTER = "REGISTER", _("Add a passkey")
    PROVE = "PROVE", _("Prove who one is")
    SIGN_IN = "SIGN_IN", _("Sign in without a password")


class PasskeyCeremony(models.Model):
    """A challenge that waits for one answer, within five minutes, from the browser or sign-in behind `bound_to`."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    purpose = models.CharField(max_length=10, choices=CeremonyPurpose)
    challenge = models.BinaryField()
    bound_to = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "iam_passkey_ceremony"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(purpose__in=CeremonyPurpose.values), name="ceremony_purpose"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["expires_at"], name="passkey_ceremony_expires")]


class MfaPolicy(models.Model):
    """A tenant's demand that its members use a second factor, from `required_at` and `grace_days` later at the latest.

    Whoever joins later has as many days from then on.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+")
    required_at = models.DateTimeField()
    grace_days = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "iam_mfa_policy"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(grace_days__lte=90), name="mfa_policy_grace_days"),
        ]

"""Tries to sign in, and what locks an e-mail. The tables are shared (``public``)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import ids


class SignInGuard(models.Model):
    """The recent failures with one e-mail, known or not; its row lock makes checks of that e-mail take turns."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    failed_at = ArrayField(models.DateTimeField(), default=list)
    locked_until = models.DateTimeField(_("locked until"), null=True)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "iam_sign_in_guard"
        verbose_name = _("lockout")
        verbose_name_plural = _("lockouts")
        indexes: ClassVar = [models.Index(fields=["updated_at"], name="sign_in_guard_updated")]

    def __str__(self) -> str:
        return self.email


class AttemptOutcome(models.TextChoices):
    """What came of an e-mail and a password."""

    SUCCESS = "SUCCESS", _("Signed in")
    WRONG = "WRONG", _("Wrong e-mail or password")
    HALF = "HALF", _("Password right, second factor asked for")
    WRONG_CODE = "WRONG_CODE", _("Wrong second factor")
    INACTIVE = "INACTIVE", _("Account not active")
    LOCKED = "LOCKED", _("Locked: password not checked")


class SignInAttempt(models.Model):
    """One try to sign in, kept for operators. `user_id` is empty for an unknown address."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    email = models.EmailField(_("e-mail"), max_length=254)
    user_id = models.UUIDField(null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=AttemptOutcome)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(_("device"), max_length=300, blank=True)
    occurred_at = models.DateTimeField(_("time"))

    class Meta:
        db_table = "iam_sign_in_attempt"
        verbose_name = _("sign-in attempt")
        verbose_name_plural = _("sign-in attempts")
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(outcome__in=AttemptOutcome.values), name="attempt_outcome_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["email", "-id"], name="sign_in_attempt_email"),
            models.Index(fields=["occurred_at"], name="sign_in_attempt_time"),
        ]

    def __str__(self) -> str:
        return f"{self.email} {self.outcome}"

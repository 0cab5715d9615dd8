"""A tenant's own sign-in: the mail domains that it proved, its identity provider, and who is whom there."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import ids
from apps.core.sealing import SealedField
from apps.tenancy.models import Tenant

# Roles are stored as a built-in one's name or a custom one's id; ownership is transferred, never given.
DEFAULT_ROLE = "MEMBER"


class MailDomainState(models.TextChoices):
    """Whether the tenant may speak for the addresses of a domain."""

    PENDING = "PENDING", _("Pending")
    VERIFIED = "VERIFIED", _("Verified")
    LOST = "LOST", _("Lost")


class MailDomain(models.Model):
    """The part after the @ of addresses that a tenant says are its people's; see ``mail_domains.py``."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    domain = models.CharField(_("domain"), max_length=253)
    token = models.CharField(max_length=64)
    state = models.CharField(_("status"), max_length=10, choices=MailDomainState, default=MailDomainState.PENDING)
    last_error = models.CharField(max_length=10, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(_("verified"), null=True)
    next_check_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "iam_mail_domain"
        verbose_name = _("mail domain")
        verbose_name_plural = _("mail domains")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "domain"], name="mail_domain_once"),
            models.UniqueConstraint(
                fields=["domain"], condition=models.Q(state="VERIFIED"), name="mail_domain_has_one_tenant"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=MailDomainState.values), name="mail_domain_state_known"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["next_check_at"], name="mail_domain_due")]

    def __str__(self) -> str:
        return self.domain


class SsoConnection(models.Model):
    """A tenant's OpenID provider. `editor_permissions`: what the person who last changed it might do himself.

    `trusts_email`: the provider says nothing of ``email_verified`` and is believed within the proven domains.

    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    issuer = models.CharField(_("issuer"), max_length=500)
    client_id = models.CharField(_("client id"), max_length=255)
    client_secret = SealedField()
    is_enabled = models.BooleanField(_("enabled"), default=False)
    is_required = models.BooleanField(_("required"), default=False)
    admits_new = models.BooleanField(_("admits new members"), default=True)
    trusts_email = models.BooleanField(default=False)
    default_role = models.CharField(max_length=36, default=DEFAULT_ROLE)
    group_claim = models.CharField(max_length=100, blank=True)
    group_roles = models.JSONField(default=dict)
    editor_permissions = models.JSONField(default=list)
    tested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "iam_sso_connection"
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(is_required=False) | models.Q(is_enabled=True), name="sso_required_is_enabled"
            ),
            models.CheckConstraint(condition=~models.Q(default_role="OWNER"), name="sso_gives_no_ownership"),
        ]

    def __str__(self) -> str:
        return self.name


class SsoLink(models.Model):
    """Who a provider's subject is. Once written it decides, whatever address the provider tells later."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    issuer = models.CharField(_("issuer"), max_length=500)
    subject = models.CharField(_("subject"), max_length=255)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True)

    class Meta:
        db_table = "iam_sso_link"
        verbose_name = _("linked account")
        verbose_name_plural = _("linked accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "issuer", "subject"], name="sso_link_subject_once"),
            models.UniqueConstraint(fields=["tenant", "issuer", "user"], name="sso_link_person_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.subject}"


class SsoAttempt(models.Model):
    """One way to the provider and back, for one browser, once and within ten minutes.

    `state_digest` and `browser_digest` are digests of what the address and the browser's cookie carry.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    state_digest = models.CharField(max_length=64, unique=True)
    browser_digest = models.CharField(max_length=64)
    nonce = models.CharField(max_length=64)
    verifier = SealedField()
    issuer = models.CharField(max_length=500)
    next_path = models.CharField(max_length=500, default="/")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "iam_sso_attempt"
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="sso_attempt_expires")]

"""People, their memberships, and what keeps them signed in. All tables are shared (``public``)."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.core import ids
from apps.core.clock import utcnow
from apps.core.errors import NotFound
from apps.iam import (  # noqa: F401 - Django looks for models here
    api_key_models,
    attempt_models,
    avatar_models,
    factor_models,
    impersonation_models,
    signing_models,
)
from apps.iam.role_models import CustomRole, RoleGrant
from apps.iam.scim import models as scim_models  # noqa: F401
from apps.iam.sso import models as sso_models  # noqa: F401
from apps.tenancy.models import Tenant


class Role(models.TextChoices):
    """The built-in roles within a tenant."""

    OWNER = "OWNER", _("Owner")
    ADMIN = "ADMIN", _("Admin")
    ACCOUNTANT = "ACCOUNTANT", _("Accountant")
    MEMBER = "MEMBER", _("Member")
    VIEWER = "VIEWER", _("Viewer")


class PlatformRole(models.TextChoices):
    """What an operator may do on the platform itself; most people have none."""

    NONE = "", _("None")
    PLATFORM_ADMIN = "PLATFORM_ADMIN", _("Platform admin")
    PLATFORM_SUPPORT = "PLATFORM_SUPPORT", _("Platform support (read-only)")


class MembershipStatus(models.TextChoices):
    """Whether a member may enter."""

    ACTIVE = "ACTIVE", _("Active")
    BANNED = "BANNED", _("Banned")
    REMOVED = "REMOVED", _("Removed")


class Channel(models.TextChoices):
    """How somebody signed in."""

    API = "API", _("Program")
    BROWSER = "BROWSER", _("Browser")


def normal_email(email: str) -> str:
    """The form in which addresses are stored and compared: letter case does not matter."""
    return email.strip().lower()


class Users(BaseUserManager["User"]):
    """How people are found."""

    def locked(self, user_id: UUID) -> "User":
        """One person, for the caller alone until his transaction ends.

        Raises:
            NotFound: there is no such person.
        """
        user = self.select_for_update().filter(pk=user_id).first()
        if user is None:
            raise NotFound
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """The person with this e-mail, in any letter case."""
        return self.get(email=normal_email(username or ""))


class User(AbstractBaseUser):
    """One person, whatever tenants he belongs to. `tokens_valid_after`: sign-ins before it are void.

    `must_change_password`: an operator gave him the present one, and it opens nothing but the page to choose another.
    """

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    email = models.EmailField(unique=True)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    locale = models.CharField(max_length=10, default="en")
    platform_role = models.CharField(max_length=20, choices=PlatformRole, blank=True, default=PlatformRole.NONE)
    is_active = models.BooleanField(default=True)
    email_verified_at = models.DateTimeField(null=True)
    tokens_valid_after = models.DateTimeField(null=True)
    password_changed_at = models.DateTimeField(null=True)
    factors_removed_at = models.DateTimeField(null=True)
    must_change_password = models.BooleanField(default=False)
    banned_at = models.DateTimeField(null=True)
    banned_until = models.DateTimeField(null=True)
    ban_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = Users()

    class Meta:
        db_table = "iam_user"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(
                condition=models.Q(platform_role__in=PlatformRole.values), name="user_platform_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def name(self) -> str:
        """The full name, or the e-mail of somebody who gave none."""
        return f"{self.first_name} {self.last_name}".strip() or self.email

    @property
    def is_banned(self) -> bool:
        """Whether the platform keeps the person out at the moment; a ban ends by itself at `banned_until`."""
        return self.banned_at is not None and (self.banned_until is None or self.banned_until > utcnow())

    @property
    def may_sign_in(self) -> bool:
        """Whether the account is switched on and not banned."""
        return self.is_active and not self.is_banned

    @property
    def is_staff(self) -> bool:
        """Whether the person may enter the operators' admin."""
        return self.is_active and bool(self.platform_role)

    @property
    def is_superuser(self) -> bool:
        """Whether nothing in the operators' admin is closed."""
        return self.is_active and self.platform_role == PlatformRole.PLATFORM_ADMIN

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's permission question, answered by the platform role: admins all, support only views."""
        if self.is_superuser:
            return True
        return self.is_staff and perm.rpartition(".")[2].startswith("view_")

    def has_perms(self, perm_list: list[str], obj: Any = None) -> bool:
        """Whether every one of the permissions is held."""
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the admin shows the app at all."""
        return self.is_staff

    def clean(self) -> None:
        """Bring the e-mail to its normal form."""
        self.email = normal_email(self.email)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Besides the password, signing out everywhere ends Django's own sessions (the operators' admin).
        value = f"{self.password}|{self.tokens_valid_after.isoformat() if self.tokens_valid_after else ''}"
        return salted_hmac("apps.iam.User.session", value, secret=secret, algorithm="sha256").hexdigest()


class Membership(models.Model):
    """A person's place in a tenant. `role` is the built-in one; empty when he holds custom ones alone."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role, default=Role.MEMBER, blank=True)
    custom_roles = models.ManyToManyField(CustomRole, through=RoleGrant, related_name="members")
    status = models.CharField(max_length=10, choices=MembershipStatus, default=MembershipStatus.ACTIVE)
    banned_at = models.DateTimeField(null=True)
    banned_until = models.DateTimeField(null=True)
    ban_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "iam_membership"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "tenant"], name="membership_unique"),
            # What refers to a member and his tenant together refers to this (see `RoleGrant`).
            models.UniqueConstraint(fields=["id", "tenant"], name="membership_of_tenant"),
            models.CheckConstraint(condition=models.Q(role__in=["", *Role.values]), name="membership_role_known"),
            models.CheckConstraint(
                condition=models.Q(status__in=MembershipStatus.values), name="membership_status_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "status", "role"], name="membership_tenant"),
            models.Index(fields=["banned_until"], condition=models.Q(status="BANNED"), name="membership_ban_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.tenant_id}"


class InvitationState(models.TextChoices):
    """Where an invitation stands; follows from its moments."""

    PENDING = "PENDING", _("Pending")
    ACCEPTED = "ACCEPTED", _("Accepted")
    REVOKED = "REVOKED", _("Revoked")
    EXPIRED = "EXPIRED", _("Expired")


class Invitation(models.Model):
    """A place in a tenant for whoever reads the mail of `email`; its token is stored as a digest.

    Its role is a built-in one, or `custom_role`. `generation` counts how often it was mailed: each mail voids the token
    of the one before.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField(_("e-mail"), max_length=254)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.MEMBER, blank=True)
    custom_role = models.ForeignKey(CustomRole, on_delete=models.SET_NULL, null=True, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    generation = models.PositiveSmallIntegerField(default=0)
    invited_by_id = models.UUIDField(null=True)
    invited_by_name = models.CharField(_("invited by"), max_length=254, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by_id = models.UUIDField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "iam_invitation"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_pending_once",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["", *Role.values]) & ~models.Q(role="OWNER"),
                name="invitation_role_grantable",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-id"], name="invitation_tenant"),
            models.Index(fields=["email"], name="invitation_email"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def role_label(self) -> str:
        """The role's name for people."""
        return self.custom_role.name if self.custom_role else str(self.get_role_display())

    @property
    def state(self) -> InvitationState:
        """Where it stands now."""
        if self.accepted_at:
            return InvitationState.ACCEPTED
        if self.revoked_at:
            return InvitationState.REVOKED
        return InvitationState.PENDING if self.expires_at > utcnow() else InvitationState.EXPIRED


class TokenFamily(models.Model):
    """One sign-in, by a program or a browser; everything that was issued from it dies with it.

    `tenant` is empty for an operator's sign-in to the platform itself. `methods`, `proved_at` and `strong_at` are its
    `proofs.Proof`: how and when the person last showed who he is. It is over at `ends_at`, however much it is used;
    for an operator behind it (`impersonator_id`) that is soon.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="token_families")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, related_name="token_families")
    channel = models.CharField(max_length=10, choices=Channel)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    methods = ArrayField(models.CharField(max_length=10), default=list)
    proved_at = models.DateTimeField(null=True)
    strong_at = models.DateTimeField(null=True)
    impersonator_id = models.UUIDField(null=True)
    ends_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        db_table = "iam_token_family"
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="token_family_living", condition=models.Q(revoked_at=None)),
            models.Index(fields=["last_seen_at"], name="token_family_last_seen"),
        ]


class RefreshToken(models.Model):
    """One link of a family's chain, stored as its digest; spent when `used_at` is set."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    family = models.ForeignKey(TokenFamily, on_delete=models.CASCADE, related_name="refresh_tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "iam_refresh_token"


class SessionHandoff(models.Model):
    """Carries a browser from one of our hosts to a tenant's, once and within a minute; stored as its digest.

    Only the browser that holds the secret behind `browser_digest` can redeem it: a link sent to somebody is worthless.
    `methods`, `proved_at` and `strong_at` are the `proofs.Proof` that goes along.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    browser_digest = models.CharField(max_length=64, default="")
    next_path = models.CharField(max_length=500, default="/")
    methods = ArrayField(models.CharField(max_length=10), default=list)
    proved_at = models.DateTimeField(null=True)
    strong_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "iam_session_handoff"
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="session_handoff_expires")]


class TokenPurpose(models.TextChoices):
    """What a mailed token lets its holder do."""

    RESET = "RESET", _("Reset the password")
    VERIFY = "VERIFY", _("Confirm the e-mail address")


class AccountToken(models.Model):
    """A token that goes to an address by mail, once and for a limited time; stored as its digest.

    There is a row for unknown addresses, too, so that asking costs the same; nothing is mailed for those.
    `mailed_at` is empty until that was decided. `is_asked`: somebody asked for it, which is limited.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    purpose = models.CharField(max_length=10, choices=TokenPurpose)
    email = models.EmailField(max_length=254)
    digest = models.CharField(max_length=64, unique=True)
    is_asked = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "iam_account_token"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(purpose__in=TokenPurpose.values), name="token_purpose_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["email", "purpose", "created_at"], name="account_token_email"),
            models.Index(fields=["created_at"], condition=models.Q(mailed_at=None), name="account_token_owed"),
            models.Index(fields=["expires_at"], name="account_token_expires"),
        ]

"""Routes of the IAM API."""

from django.urls import path

from apps.iam.api import (
    api_key_views,
    avatar_views,
    device_views,
    directory_views,
    life,
    openapi,
    recovery_views,
    role_views,
    sso_views,
    team_views,
    views,
)
from apps.iam.api.mfa_urls import urlpatterns as second_factors

# Named here because drf-spectacular finds extensions only in modules that were imported.
__all__ = ["openapi", "urlpatterns"]

urlpatterns = [
    path("auth/signup", views.SignUpView.as_view(), name="signup"),
    path("auth/signup/<slug:key>", views.SignUpStatusView.as_view(), name="signup-status"),
    path("auth/discover", views.DiscoverView.as_view(), name="discover"),
    path("auth/signin", views.SignInView.as_view(), name="signin"),
    path("auth/refresh", views.RefreshView.as_view(), name="refresh"),
    path("auth/signout", views.SignOutView.as_view(), name="signout"),
    path("auth/signout-all", views.SignOutAllView.as_view(), name="signout-all"),
    path("auth/validate", views.ValidateView.as_view(), name="validate"),
    path("auth/password/forgot", recovery_views.PasswordForgotView.as_view(), name="password-forgot"),
    path("auth/password/reset", recovery_views.PasswordResetView.as_view(), name="password-reset"),
    path("auth/password/change", recovery_views.PasswordChangeView.as_view(), name="password-change"),
    path("auth/email/verify", recovery_views.EmailVerifyView.as_view(), name="email-verify"),
    path("auth/email/resend", recovery_views.EmailResendView.as_view(), name="email-resend"),
    path("me", views.MeView.as_view(), name="me"),
    path("me/memberships", views.MyMembershipsView.as_view(), name="my-memberships"),
    path("tenant", views.TenantView.as_view(), name="tenant"),
    path("tenant/suspend", life.SuspendView.as_view(), name="tenant-suspend"),
    path("tenant/reactivate", life.ReactivateView.as_view(), name="tenant-reactivate"),
    path("tenant/retry-provisioning", life.RetryProvisioningView.as_view(), name="tenant-retry-provisioning"),
    path("members", views.MembersView.as_view(), name="members"),
    path("members/<uuid:membership_id>", team_views.MemberView.as_view(), name="member"),
    path("members/<uuid:membership_id>/ban", team_views.MemberBanView.as_view(), name="member-ban"),
    path("members/<uuid:membership_id>/unban", team_views.MemberUnbanView.as_view(), name="member-unban"),
    path(
        "members/<uuid:membership_id>/transfer-ownership",
        team_views.TransferOwnershipView.as_view(),
        name="member-transfer-ownership",
    ),
    path("roles", role_views.RolesView.as_view(), name="roles"),
    path("roles/<slug:role_id>", role_views.RoleView.as_view(), name="role"),
    path("invitations", team_views.InvitationsView.as_view(), name="invitations"),
    path("invitations/<uuid:invitation_id>", team_views.InvitationView.as_view(), name="invitation"),
    path(
        "invitations/<uuid:invitation_id>/resend", team_views.InvitationResendView.as_view(), name="invitation-resend"
    ),
    path("invitations/by-token/<slug:token>", team_views.InvitationByTokenView.as_view(), name="invitation-by-token"),
    path(
        "invitations/by-token/<slug:token>/accept", team_views.InvitationAcceptView.as_view(), name="invitation-accept"
    ),
    *second_factors,
    path("me/sessions", device_views.MySessionsView.as_view(), name="my-sessions"),
    path("me/sessions/<uuid:session_id>", device_views.MySessionView.as_view(), name="my-session"),
    path("me/avatar", avatar_views.AvatarView.as_view(), name="my-avatar"),
    path("me/avatar/confirm", avatar_views.AvatarConfirmView.as_view(), name="my-avatar-confirm"),
    path("uploads/<str:token>", avatar_views.AvatarUploadView.as_view(), name="avatar-upload"),
    path("api-keys", api_key_views.ApiKeysView.as_view(), name="api-keys"),
    path("api-keys/<uuid:key_id>", api_key_views.ApiKeyView.as_view(), name="api-key"),
    path("api-keys/<uuid:key_id>/rotate", api_key_views.ApiKeyRotateView.as_view(), name="api-key-rotate"),
    path("me/membership", team_views.MyMembershipView.as_view(), name="my-membership"),
    path("sso/connection", sso_views.SsoConnectionView.as_view(), name="sso-connection"),
    path("sso/connection/test", sso_views.SsoTestView.as_view(), name="sso-connection-test"),
    path("sso/domains", sso_views.MailDomainsView.as_view(), name="mail-domains"),
    path("sso/domains/<uuid:mail_domain_id>", sso_views.MailDomainView.as_view(), name="mail-domain"),
    path("sso/domains/<uuid:mail_domain_id>/check", sso_views.MailDomainCheckView.as_view(), name="mail-domain-check"),
    path("scim-tokens", directory_views.ScimTokensView.as_view(), name="scim-tokens"),
    path("scim-tokens/<uuid:scim_token_id>", directory_views.ScimTokenResource.as_view(), name="scim-token"),
    path(
        "scim-tokens/<uuid:scim_token_id>/rotate",
        directory_views.ScimTokenRotateView.as_view(),
        name="scim-token-rotate",
    ),
    path("directory-groups", directory_views.DirectoryGroupsView.as_view(), name="directory-groups"),
    path("directory-groups/<uuid:group_id>", directory_views.DirectoryGroupView.as_view(), name="directory-group"),
]

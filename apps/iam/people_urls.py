"""Routes of the team and of one's own account, on a tenant's host."""

from django.urls import path, re_path

from apps.iam import account_views, api_key_views, avatar_views, role_views, team_views

urlpatterns = [
    path("team/", team_views.team, name="team"),
    path("team/<uuid:membership_id>/", team_views.member, name="member"),
    path("team/<uuid:membership_id>/ban/", team_views.ban, name="member-ban"),
    path("team/<uuid:membership_id>/unban/", team_views.unban, name="member-unban"),
    path("team/<uuid:membership_id>/remove/", team_views.remove, name="member-remove"),
    path("team/<uuid:membership_id>/transfer/", team_views.transfer, name="member-transfer"),
    path("team/invitations/<uuid:invitation_id>/revoke/", team_views.revoke, name="invitation-revoke"),
    path("team/invitations/<uuid:invitation_id>/resend/", team_views.resend, name="invitation-resend"),
    path("team/roles/", role_views.role_list, name="roles"),
    path("team/roles/new/", role_views.role_new, name="role-new"),
    path("team/roles/<uuid:role_id>/delete/", role_views.role_delete, name="role-delete"),
    path("team/roles/<slug:role_id>/", role_views.role, name="role"),
    path("account/", account_views.profile, name="account"),
    path("account/avatar/", avatar_views.take, name="avatar-take"),
    path("account/avatar/announce/", avatar_views.announce, name="avatar-announce"),
    path("account/avatar/confirm/", avatar_views.confirm, name="avatar-confirm"),
    path("account/avatar/delete/", avatar_views.delete, name="avatar-delete"),
    re_path(r"^avatars/(?P<name>[0-9a-f]{32})-(?P<size>256|64)\.webp$", avatar_views.show, name="avatar"),
    path("settings/api-keys/", api_key_views.api_keys_page, name="api-keys"),
    path("settings/api-keys/new/", api_key_views.create, name="api-key-new"),
    path("settings/api-keys/<uuid:key_id>/rotate/", api_key_views.rotate, name="api-key-rotate"),
    path("settings/api-keys/<uuid:key_id>/revoke/", api_key_views.revoke, name="api-key-revoke"),
    path("account/security/", account_views.security, name="security"),
    path("account/security/sessions/end-others/", account_views.end_other_sessions, name="sessions-end-others"),
    path("account/security/sessions/<uuid:session_id>/end/", account_views.end_session, name="session-end"),
    path("account/security/sign-out-everywhere/", account_views.sign_out_everywhere, name="signout-everywhere"),
    path("account/organisations/", account_views.organisations, name="organisations"),
    path("account/organisations/leave/", account_views.leave, name="leave"),
    path(
        "account/organisations/invitations/<uuid:invitation_id>/accept/",
        account_views.accept_invitation,
        name="invitation-accept",
    ),
]

"""Routes of the team and of one's own account, on a tenant's host."""

from django.urls import path

from apps.iam import account_views, role_views, team_views

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

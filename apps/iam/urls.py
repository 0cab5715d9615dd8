"""Routes on a tenant's host."""

from django.urls import path

from apps.iam import (
    impersonation_views,
    invitation_views,
    mfa_urls,
    people_urls,
    recovery_urls,
    recovery_views,
    session_views,
    views,
)
from apps.iam.sso import urls as sso_urls

app_name = "iam"

urlpatterns = [
    path("sign-in/", views.sign_in, name="signin"),
    path("sign-in/handoff/", views.handoff, name="handoff"),
    path("sign-in/handoff/begin/", views.handoff_begin, name="handoff-begin"),
    path("sign-in/handoff/operator/", impersonation_views.enter, name="impersonation"),
    path("sign-in/handoff/operator/begin/", impersonation_views.begin, name="impersonation-begin"),
    path("session/", session_views.renew, name="session-renew"),
    path("operator/stop/", impersonation_views.stop, name="impersonation-stop"),
    path("workspaces/handoff/", views.handoff_give, name="handoff-give"),
    path("sign-out/", views.sign_out, name="signout"),
    path("workspaces/switch/", views.switch, name="switch"),
    path("invitations/<slug:token>/", invitation_views.invitation, name="invitation"),
    path("verify-email/resend/", recovery_views.resend_verification, name="verification-resend"),
    *recovery_urls.urlpatterns,
    *mfa_urls.urlpatterns,
    *people_urls.urlpatterns,
    *sso_urls.urlpatterns,
    path(".well-known/jwks.json", views.jwks, name="jwks"),
]

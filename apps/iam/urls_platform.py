"""Routes on the platform's host."""

from django.urls import path

from apps.iam import mfa_platform_urls, platform_views, recovery_urls, views
from apps.iam.sso import views as sso_views

app_name = "iam"

urlpatterns = [
    path("sign-up/", platform_views.sign_up, name="signup"),
    path("sign-up/<slug:key>/", platform_views.sign_up_progress, name="signup-progress"),
    path("sign-up/<slug:key>/progress/", platform_views.sign_up_progress_fragment, name="signup-progress-fragment"),
    path("sign-in/", platform_views.sign_in, name="signin"),
    path("sign-in/workspace/", platform_views.workspaces, name="workspaces"),
    path("sign-in/handoff/issue/", platform_views.handoff_issue, name="handoff-issue"),
    path("sign-in/organisation/", sso_views.find, name="sso-find"),
    path("sign-out/", platform_views.sign_out, name="signout"),
    *mfa_platform_urls.urlpatterns,
    *recovery_urls.urlpatterns,
    path(".well-known/jwks.json", views.jwks, name="jwks"),
]

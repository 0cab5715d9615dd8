"""Routes of the IAM API."""

from django.urls import path

from apps.iam.api import openapi, views

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
    path("me", views.MeView.as_view(), name="me"),
    path("me/memberships", views.MyMembershipsView.as_view(), name="my-memberships"),
    path("tenant", views.TenantView.as_view(), name="tenant"),
    path("members", views.MembersView.as_view(), name="members"),
]

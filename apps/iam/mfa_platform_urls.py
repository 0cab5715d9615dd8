"""Routes of second factors on the platform's host."""

from django.urls import path

from apps.iam import second_step_views

urlpatterns = [
    path("sign-in/second-step/", second_step_views.on_platform, name="second-step"),
    path("sign-in/passkey/", second_step_views.passkey_on_platform, name="signin-passkey"),
    path("passkeys/begin/", second_step_views.begin_passkey, name="passkey-begin"),
]

"""Routes of second factors, on a tenant's host."""

from django.urls import path

from apps.iam import confirm_views, mfa_policy_views, mfa_views, second_step_views

urlpatterns = [
    path("sign-in/second-step/", second_step_views.on_tenant, name="second-step"),
    path("sign-in/passkey/", second_step_views.passkey_on_tenant, name="signin-passkey"),
    path("passkeys/begin/", second_step_views.begin_passkey, name="passkey-begin"),
    path("account/confirm/", confirm_views.confirm, name="confirm"),
    path("account/confirm/resend/", confirm_views.resend, name="confirm-resend"),
    path("account/second-factor/", confirm_views.demanded, name="mfa-demanded"),
    path("account/two-step/", mfa_views.overview, name="mfa"),
    path("account/two-step/app/", mfa_views.app, name="mfa-app"),
    path("account/two-step/app/remove/", mfa_views.app_remove, name="mfa-app-remove"),
    path("account/two-step/recovery-codes/", mfa_views.codes_renew, name="mfa-codes-renew"),
    path("account/two-step/passkeys/", mfa_views.passkey_add, name="passkey-add"),
    path("account/two-step/passkeys/begin/", mfa_views.passkey_begin, name="passkey-add-begin"),
    path("account/two-step/passkeys/<uuid:passkey_id>/rename/", mfa_views.passkey_rename, name="passkey-rename"),
    path("account/two-step/passkeys/<uuid:passkey_id>/remove/", mfa_views.passkey_remove, name="passkey-remove"),
    path("settings/sign-in/", mfa_policy_views.policy, name="mfa-policy"),
]

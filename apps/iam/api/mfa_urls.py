"""Routes of second factors, of proving oneself again, and of going on to another workspace."""

from django.urls import path

from apps.iam.api import exchange_views, mfa_views

urlpatterns = [
    path("auth/token", exchange_views.TokenExchangeView.as_view(), name="token"),
    path("auth/confirm", mfa_views.ConfirmView.as_view(), name="confirm"),
    path("auth/confirm/passkey", mfa_views.ConfirmPasskeyView.as_view(), name="confirm-passkey"),
    path("me/mfa", mfa_views.MfaView.as_view(), name="my-mfa"),
    path("me/mfa/totp", mfa_views.TotpView.as_view(), name="my-totp"),
    path("me/mfa/totp/confirm", mfa_views.TotpConfirmView.as_view(), name="my-totp-confirm"),
    path("me/mfa/recovery-codes", mfa_views.RecoveryCodesView.as_view(), name="my-recovery-codes"),
    path("me/mfa/passkeys", mfa_views.PasskeysView.as_view(), name="my-passkeys"),
    path("me/mfa/passkeys/begin", mfa_views.PasskeyBeginView.as_view(), name="my-passkey-begin"),
    path("me/mfa/passkeys/<uuid:passkey_id>", mfa_views.PasskeyOneView.as_view(), name="my-passkey"),
    path("tenant/mfa", mfa_views.MfaPolicyView.as_view(), name="tenant-mfa"),
]

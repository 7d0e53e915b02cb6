"""Addresses of signing in. Of the library's pages those are here that are needed; the names are the library's."""

from allauth.account import views as account_views
from allauth.mfa.base import views as mfa_views
from allauth.mfa.recovery_codes import views as code_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as passkey_views
from allauth.usersessions import views as session_views
from django.urls import URLPattern, URLResolver, path, reverse_lazy

from accounts import sign_in_views as views

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/login/", views.SignIn.as_view(), name="account_login"),
    path("accounts/login/code/", views.Code.as_view(), name="mfa_authenticate"),
    path("accounts/logout/", views.leave, name="account_logout"),
    path("accounts/password/", views.change_password, name="account_change_password"),
    path("accounts/password/forgotten/", views.forgotten, name="account_reset_password"),
    path("accounts/password/forgotten/done/", views.forgotten_done, name="account_reset_password_done"),
    path(
        "accounts/password/new/<str:uidb64>/<str:token>/",
        views.NewPassword.as_view(),
        name="account_reset_password_from_key",
    ),
    path("accounts/password/new/done/", views.new_password_done, name="account_reset_password_from_key_done"),
    path("accounts/again/", account_views.ReauthenticateView.as_view(), name="account_reauthenticate"),
    path("accounts/again/code/", mfa_views.ReauthenticateView.as_view(), name="mfa_reauthenticate"),
    path("accounts/factors/", views.Factors.as_view(), name="mfa_index"),
    path("accounts/factors/app/", views.NewApp.as_view(), name="mfa_activate_totp"),
    path("accounts/factors/app/remove/", totp_views.DeactivateTOTPView.as_view(), name="mfa_deactivate_totp"),
    path("accounts/factors/codes/", code_views.ViewRecoveryCodesView.as_view(), name="mfa_view_recovery_codes"),
    path(
        "accounts/factors/codes/new/",
        code_views.GenerateRecoveryCodesView.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path("accounts/factors/passkeys/new/", views.NewPasskey.as_view(), name="mfa_add_webauthn"),
    path(
        "accounts/factors/passkeys/<int:pk>/remove/",
        passkey_views.RemoveWebAuthnView.as_view(success_url=reverse_lazy("mfa_index")),
        name="mfa_remove_webauthn",
    ),
    path("accounts/sessions/", session_views.ListUserSessionsView.as_view(), name="usersessions_list"),
]

"""Only those pages of allauth that we use, under the names it looks up; the others do not exist here."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from django.urls import include, path
from django.views.generic import RedirectView

from crm.accounts import views
from crm.security.compression import sent_plain

urlpatterns = [
    path("login/", views.StaffLoginView.as_view(), name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.ChangePasswordView.as_view(), name="account_change_password"),
    path("password/forgotten/", views.forgotten_password, name="account_forgotten_password"),
    path("password/choose/<str:token>/", views.choose_password, name="account_choose_password"),
    path("invitation/<str:token>/", views.accept_invitation, name="account_accept_invitation"),
    path("security/", views.security, name="security"),
    path("security/set-up/", views.set_up_second_factor, name="second_factor_setup"),
    path("sessions/", RedirectView.as_view(pattern_name="security"), name="usersessions_list"),
    path("sessions/end-others/", views.end_other_sessions, name="usersessions_end_others"),
    path("sessions/<int:session_id>/end/", views.end_one_session, name="usersessions_end"),
    path("2fa/", RedirectView.as_view(pattern_name="security"), name="mfa_index"),
    path("2fa/authenticate/", views.SecondFactorView.as_view(), name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/totp/activate/", sent_plain(views.ActivateAppView.as_view()), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", views.DeactivateAppView.as_view(), name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", sent_plain(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("2fa/recovery-codes/download/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("2fa/webauthn/", RedirectView.as_view(pattern_name="security"), name="mfa_list_webauthn"),
    path("2fa/webauthn/login/", views.PasskeyLoginView.as_view(), name="mfa_login_webauthn"),
    path("2fa/webauthn/reauthenticate/", views.ConfirmByKeyView.as_view(), name="mfa_reauthenticate_webauthn"),
    path("2fa/webauthn/add/", views.AddKeyView.as_view(), name="mfa_add_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/remove/", views.RemoveKeyView.as_view(), name="mfa_remove_webauthn"),
    path("2fa/webauthn/", include("allauth.mfa.webauthn.urls")),
]

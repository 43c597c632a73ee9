"""The public doors at `/b/<brand>/…`, the trader's room at `/portal/…`."""

from django.urls import URLPattern, URLResolver, path

from portal.views import home, money, moves, payout, public, start, trading

urlpatterns: list[URLPattern | URLResolver] = [
    path("b/", public.brands, name="portal_brands"),
    path("portal/register/", public.register_anywhere, name="portal_register"),
    path("b/<slug:brand>/", public.brand_home, name="portal_brand"),
    path("b/<slug:brand>/login/", public.login, name="portal_login"),
    path("b/<slug:brand>/partners/login/", public.partner_login, name="portal_partner_login"),
    path("b/<slug:brand>/register/", public.register, name="portal_register_at"),
    path("b/<slug:brand>/registered/", public.registered, name="portal_registered"),
    path("b/<slug:brand>/confirm/<str:token>/", public.confirm_email, name="portal_confirm_email"),
    path("b/<slug:brand>/confirm/", public.confirm_again, name="portal_confirm_again"),
    path("b/<slug:brand>/password/", public.forgotten, name="portal_forgotten"),
    path("b/<slug:brand>/password/<str:token>/", public.choose_password, name="portal_choose_password"),
    path("b/<slug:brand>/legal/<slug:kind>/", public.legal, name="portal_legal"),
    path("portal/", home.dashboard, name="portal"),
    path("portal/activity/", home.activity, name="portal_activity"),
    path("portal/profile/security/", home.security, name="portal_security"),
    path("portal/profile/", home.profile, name="portal_profile"),
    path("portal/profile/marketing/", home.marketing, name="portal_marketing"),
    path("portal/profile/details/", start.details, name="portal_details"),
    path("portal/documents/", start.documents, name="portal_documents"),
    path("portal/documents/send/", start.send_document, name="portal_send_document"),
    path("portal/wallet/", money.wallet, name="portal_wallet"),
    path("portal/wallet/deposit/", money.deposit, name="portal_deposit"),
    path("portal/wallet/withdraw/", payout.withdraw, name="portal_withdraw"),
    path("portal/wallet/transfer/", moves.transfer, name="portal_transfer"),
    path("portal/wallet/exchange/", moves.exchange, name="portal_exchange"),
    path("portal/wallet/history/", money.history, name="portal_history"),
    path("portal/wallet/history/statement/", money.order_statement, name="portal_statement"),
    path("portal/wallet/<slug:reference>/", money.movement, name="portal_movement"),
    path("portal/wallet/<slug:reference>/pay/", money.pay, name="portal_pay"),
    path("portal/wallet/<slug:reference>/cancel/", payout.cancel_withdrawal, name="portal_cancel_withdrawal"),
    path("portal/accounts/", trading.account_list, name="portal_accounts"),
    path("portal/accounts/open/", trading.open_account, name="portal_open_account"),
    path("portal/accounts/<int:account_id>/", trading.account, name="portal_account"),
    path("portal/accounts/<int:account_id>/password/", trading.set_password, name="portal_account_password"),
    path("portal/accounts/<int:account_id>/leverage/", trading.wish_leverage, name="portal_account_leverage"),
]

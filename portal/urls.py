"""The public doors at `/b/<brand>/…`, the trader's room at `/portal/…`."""

from django.urls import URLPattern, URLResolver, path

from portal.views import home, public

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
    path("portal/security/", home.security, name="portal_security"),
]

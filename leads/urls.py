from django.urls import URLPattern, URLResolver, path

from leads.views import public

urlpatterns: list[URLPattern | URLResolver] = [
    path("l/invitation/<path:token>/", public.invitation, name="registration_link"),
    path("l/<slug:brand_code>/<slug:slug>/", public.landing, name="landing"),
    path("l/<slug:brand_code>/<slug:slug>/thanks/<slug:language>/", public.thanks, name="landing_thanks"),
]

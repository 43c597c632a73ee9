from django.urls import URLPattern, URLResolver, path

from crm.pages.health import healthz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
]

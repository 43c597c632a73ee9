from django.urls import URLPattern, URLResolver, path

from clients.explain import explain_access

urlpatterns: list[URLPattern | URLResolver] = [
    path("explain/", explain_access, name="explain_access"),
]

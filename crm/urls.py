"""Every app's pages, assembled by name: the project knows its apps, the apps don't know the project."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("setup/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("crm.pages.urls")),
    *[path("", include(f"{app}.urls")) for app in settings.KEELSON_APPS if app != "crm"],
]

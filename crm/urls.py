"""Every app's pages, assembled by name: the project knows its apps, the apps don't know the project."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from crm.api.site import api
from crm.web.routing import IndexedResolver

# The set-up tables take our sign-in, with its second factor, instead of a password form of their own.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
handler429 = "crm.accounts.views.locked_out"

urlpatterns = [
    IndexedResolver(
        [
            path("setup/", admin.site.urls),
            path("accounts/", include("crm.accounts.urls")),
            path("api/", api.urls),
            path("i18n/", include("django.conf.urls.i18n")),
            path("", include("crm.pages.urls")),
            *[path("", include(f"{app}.urls")) for app in settings.KEELSON_APPS if app != "crm"],
        ]
    )
]

handler500 = "crm.pages.errors.server_error"

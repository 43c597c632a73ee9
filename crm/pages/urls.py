"""Pages of the ground floor."""

from django.urls import URLPattern, URLResolver, path

from crm.pages import brand, health, home, jobs, lists, notifications, palette, profile

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("", home.entrance, name="entrance"),
    path("home/", home.home, name="home"),
    path("tiles/<slug:dashboard>/<slug:slug>/", home.tile, name="tile"),
    path("brand/<slug:code>.css", brand.brand_css, name="brand_css"),
    path("palette/", palette.palette, name="palette"),
    path("profile/", profile.profile, name="profile"),
    path("language/", profile.language, name="language"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/recent/", notifications.recent, name="notifications_recent"),
    path("notifications/unread/", notifications.unread, name="notifications_unread"),
    path("notifications/read/", notifications.read_all, name="notifications_read"),
    path("notifications/<int:pk>/", notifications.open_notification, name="notification"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<int:pk>/", jobs.job, name="job"),
    path("jobs/<int:pk>/cancel/", jobs.cancel, name="job_cancel"),
    path("jobs/<int:pk>/download/", jobs.download, name="job_download"),
    path("lists/<str:name>/settings/", lists.settings, name="table_settings"),
    path("lists/<str:name>/columns/", lists.columns, name="table_columns"),
    path("lists/<str:name>/views/", lists.save, name="table_view_save"),
    path("lists/<str:name>/views/<int:pk>/delete/", lists.delete, name="table_view_delete"),
]

"""Pages of the ground floor."""

from django.urls import URLPattern, URLResolver, path

from crm.pages import brand, health, home, jobs, lists, notifications, palette, profile, staff
from crm.ui.views import TableView

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
    path("staff/", staff.StaffList.as_view(), name="staff"),
    path("staff/invite/", staff.invite, name="staff_invite"),
    path("staff/grants/", TableView.as_view(table=staff.GrantRequestTable), name="staff_grants"),
    path("staff/grants/<int:pk>/", staff.grant_request, name="staff_grant"),
    path("staff/grants/<int:pk>/decide/", staff.decide_grant, name="staff_grant_decide"),
    path("staff/<int:pk>/", staff.member, name="staff_member"),
    path("staff/<int:pk>/ask/", staff.ask_grant, name="staff_ask_grant"),
    path("staff/<int:pk>/take/<slug:kind>/<slug:key>/", staff.take, name="staff_take"),
    path("staff/<int:pk>/switch/", staff.switch, name="staff_switch"),
    path("staff/<int:pk>/reset-factor/", staff.reset_factor, name="staff_reset_factor"),
    path("staff/<int:pk>/end-sessions/", staff.end_sessions, name="staff_end_sessions"),
    path("staff/<int:pk>/invite-again/", staff.invite_again, name="staff_invite_again"),
    path("versions/<slug:model>/<int:pk>/", staff.versions, name="versions"),
]

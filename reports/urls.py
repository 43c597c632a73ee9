from django.urls import URLPattern, URLResolver, path

from reports import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", views.dashboard, name="reports"),
    path("reports/performance/", views.performance, name="reports_performance"),
    path("reports/<slug:slug>/", views.dashboard, name="reports_dashboard"),
]

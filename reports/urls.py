from django.urls import URLPattern, URLResolver, path

from reports import target_views, views
from reports.behaviour import views as behaviour_views
from reports.campaigns import views as campaign_views
from reports.first_contacts.views import first_contacts
from reports.performance import views as people_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns/", campaign_views.campaign_list, name="campaigns"),
    path("campaigns/returns/", campaign_views.campaign_returns, name="campaign_returns"),
    path("campaigns/<int:pk>/", campaign_views.campaign_detail, name="campaign"),
    path("reports/", views.dashboard, name="reports"),
    path("reports/performance/", views.performance, name="reports_performance"),
    path("reports/performance/agents/<int:agent_id>/first-contacts/", first_contacts, name="reports_first_contacts"),
    path("reports/performance/rows/<slug:code>/", people_views.behind, name="reports_behind"),
    path("reports/leaderboard/", people_views.leaderboard, name="reports_leaderboard"),
    path("reports/behaviour/", behaviour_views.behaviour, name="reports_behaviour"),
    path("reports/targets/", target_views.targets_page, name="reports_targets"),
    path("reports/targets/copy/", target_views.copy, name="reports_targets_copy"),
    path("reports/<slug:slug>/", views.dashboard, name="reports_dashboard"),
]

from django.urls import URLPattern, path

from risk.abuse import views as abuse
from risk.dealing import views as dealing
from risk.links import views as links
from risk.retention import report_views as retention_reports
from risk.retention import views as retention

urlpatterns: list[URLPattern] = [
    path("risk/links/<int:client_id>/", links.links, name="risk_links"),
    path("risk/links/<int:client_id>/known/", links.set_aside, name="risk_link_known"),
    path("risk/links/<int:client_id>/known/<int:link_id>/end/", links.count_again, name="risk_link_counts"),
    path("risk/abuse/", abuse.EpisodeList.as_view(), name="risk_abuse"),
    path("risk/abuse/assign/", abuse.AssignEpisodes.as_view(), name="risk_abuse_assign"),
    path("risk/abuse/dealing/", abuse.dealing_view, name="risk_dealing"),
    path("risk/abuse/<int:episode_id>/", abuse.EpisodePage.as_view(), name="risk_abuse_episode"),
    path("risk/abuse/<int:episode_id>/measure/", abuse.ProposeMeasure.as_view(), name="risk_abuse_measure"),
    path("risk/dealing/routing/", dealing.RoutingList.as_view(), name="risk_routing"),
    path("risk/dealing/routing/propose/", dealing.ProposeRouting.as_view(), name="risk_routing_propose"),
    path("risk/dealing/shock/", dealing.shock_page, name="risk_shock"),
    path("risk/dealing/results/", dealing.DayResultList.as_view(), name="risk_day_results"),
    path("risk/dealing/results/<int:alert_id>/", dealing.day_result_page, name="risk_day_result"),
    path("risk/retention/", retention.CaseList.as_view(), name="risk_retention"),
    path("risk/retention/next/", retention.NextCase.as_view(), name="risk_retention_next"),
    path("risk/retention/assign/", retention.AssignCases.as_view(), name="risk_retention_assign"),
    path("risk/retention/score/", retention.score, name="risk_retention_score"),
    path("risk/retention/effect/", retention.effect, name="risk_retention_effect"),
    path("risk/retention/cohorts/", retention_reports.cohort_page, name="risk_retention_cohorts"),
    path("risk/retention/<int:case_id>/", retention.CasePage.as_view(), name="risk_retention_case"),
    path("risk/retention/<int:case_id>/snooze/", retention.snooze, name="risk_retention_snooze"),
    path("risk/retention/<int:case_id>/no-answer/", retention.no_answer, name="risk_retention_no_answer"),
]

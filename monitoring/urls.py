from django.urls import URLPattern, URLResolver, path

from monitoring import views
from monitoring.anomalies import views as anomalies
from monitoring.history import views as history
from monitoring.leaving import views as leaving
from monitoring.responses import views as responses
from monitoring.reviewing import views as reviewing

urlpatterns: list[URLPattern | URLResolver] = [
    path("monitoring/alerts/", views.AlertList.as_view(), name="monitoring_alerts"),
    path("monitoring/alerts/<int:alert_id>/", views.alert_page, name="monitoring_alert"),
    path("monitoring/alerts/<int:alert_id>/evidence/", views.alert_evidence, name="monitoring_evidence"),
    path("monitoring/alerts/<int:alert_id>/take/", views.take_alert, name="monitoring_take"),
    path("monitoring/alerts/<int:alert_id>/decide/", views.decide_alert, name="monitoring_decide"),
    path("monitoring/alerts/<int:alert_id>/name/", views.unmask, name="monitoring_unmask"),
    path("monitoring/alerts/<int:alert_id>/ask/", reviewing.ask, name="monitoring_ask"),
    path("monitoring/alerts/<int:alert_id>/pack/", reviewing.case_pack, name="monitoring_pack"),
    path("monitoring/escalations/", reviewing.EscalationList.as_view(), name="monitoring_escalations"),
    path("monitoring/escalations/assign/", reviewing.AssignEscalations.as_view(), name="monitoring_escalation_assign"),
    path(
        "monitoring/escalations/<int:escalation_id>/", reviewing.EscalationPage.as_view(), name="monitoring_escalation"
    ),
    path("monitoring/anomalies/", anomalies.AnomalyList.as_view(), name="monitoring_anomalies"),
    path("monitoring/anomalies/assign/", anomalies.AssignAnomalies.as_view(), name="monitoring_anomaly_assign"),
    path("monitoring/anomalies/<int:anomaly_id>/", anomalies.AnomalyPage.as_view(), name="monitoring_anomaly"),
    path("monitoring/explanations/<int:explanation_id>/", reviewing.answer, name="monitoring_answer"),
    path("monitoring/history/", history.histories, name="monitoring_histories"),
    path("monitoring/history/<int:history_id>/", history.history, name="monitoring_history"),
    path("monitoring/history/<int:history_id>/delete/", history.remove, name="monitoring_history_delete"),
    path("monitoring/agents/", views.AgentList.as_view(), name="monitoring_agents"),
    path("monitoring/agents/<int:agent_id>/", views.agent_page, name="monitoring_agent"),
    path("monitoring/agents/<int:agent_id>/limits/new/", responses.new_limit, name="monitoring_limit_new"),
    path("monitoring/agents/<int:agent_id>/offboarding/", leaving.offboarding, name="monitoring_offboarding"),
    path(
        "monitoring/agents/<int:agent_id>/offboarding/<slug:slug>/clear/",
        leaving.clear,
        name="monitoring_offboarding_clear",
    ),
    path("monitoring/limits/<int:limit_id>/", responses.end_limit_page, name="monitoring_limit"),
    path("monitoring/signals/", views.signals_page, name="monitoring_signals"),
    path("monitoring/me/", views.my_days, name="monitoring_me"),
    path("monitoring/watchlist/", views.WatchList.as_view(), name="monitoring_watchlist"),
    path("monitoring/watchlist/new/", views.new_watch, name="monitoring_watch_new"),
    path("monitoring/watchlist/<int:pk>/", views.end_watch, name="monitoring_watch"),
]

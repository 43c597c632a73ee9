from django.urls import path

from compliance.aml import opening, views
from compliance.aml.tables import RuleTable
from crm.ui.views import TableView

urlpatterns = [
    path("aml/rules/", TableView.as_view(table=RuleTable, template_name="compliance/aml/rules.html"), name="aml_rules"),
    path("aml/rules/condition/", views.condition, name="aml_condition"),
    path("aml/rules/new/", views.new, name="aml_rule_new"),
    path("aml/rules/new/<slug:measure>/", views.new_rule, name="aml_rule_write"),
    path("aml/rules/recommended/", views.add_shipped, name="aml_rules_recommended"),
    path("aml/rules/<int:rule_id>/", views.rule, name="aml_rule"),
    path("aml/rules/<int:rule_id>/edit/", views.edit, name="aml_rule_edit"),
    path("aml/versions/<int:version_id>/backtest/", views.backtest, name="aml_backtest"),
    path("aml/versions/<int:version_id>/<slug:act>/", views.act, name="aml_version_act"),
    path("aml/cases/", views.Cases.as_view(), name="aml_cases"),
    path("aml/cases/next/", views.Next.as_view(), name="aml_next"),
    path("aml/cases/assign/", views.Assign.as_view(), name="aml_assign"),
    path("aml/cases/new/<int:client_id>/", opening.open_case, name="aml_case_open"),
    path("aml/cases/<int:case_id>/", views.CasePage.as_view(), name="aml_case"),
    path("aml/cases/<int:case_id>/request/", views.ask_client, name="aml_ask"),
    path("aml/cases/<int:case_id>/documents/", views.ask_for_document, name="aml_document"),
    path(
        "aml/cases/<int:case_id>/documents/<int:request_id>/withdraw/",
        views.withdraw_document,
        name="aml_document_withdraw",
    ),
    path("aml/cases/<int:case_id>/tasks/", views.add_task, name="aml_task"),
    path("aml/cases/<int:case_id>/tasks/<int:task_id>/done/", views.finish_task, name="aml_task_done"),
    path("aml/cases/<int:case_id>/decide/", views.Decide.as_view(), name="aml_decide"),
]

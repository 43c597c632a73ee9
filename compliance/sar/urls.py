from django.urls import path

from compliance.sar import views
from compliance.sar.tables import ReportTable
from crm.ui.views import TableView

urlpatterns = [
    path(
        "aml/reports/", TableView.as_view(table=ReportTable, template_name="compliance/sar/reports.html"), name="sars"
    ),
    path("aml/reports/entities/", views.reporting_entities, name="sar_entities"),
    path("aml/reports/entities/<int:entity_id>/", views.reporting_entity, name="sar_entity"),
    path("aml/reports/<int:report_id>/", views.report, name="sar"),
    path("aml/reports/<int:report_id>/<slug:kind>.file", views.report_file, name="sar_file"),
    path("aml/reports/<int:report_id>/<slug:act>/", views.act, name="sar_act"),
    path("aml/cases/<int:case_id>/report/", views.draft, name="sar_draft"),
]

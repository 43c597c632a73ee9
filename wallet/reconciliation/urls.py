"""Addresses of the reconciliation pages."""

from django.urls import path

from crm.ui.views import TableView
from wallet.reconciliation.tables import BreakTable, ReserveTable, SuggestionTable
from wallet.reconciliation.views import breaks, costs, report_confirmations, reports, sources


class BreakList(TableView):
    table = BreakTable
    template_name = "wallet/reconciliation/breaks.html"


URLS = [
    path("money/reconciliation/", reports.ReconciliationPage.as_view(), name="reconciliation"),
    path("money/reconciliation/upload/", reports.report_upload, name="report_upload"),
    path("money/reconciliation/fetch/", reports.ReportFetch.as_view(), name="report_fetch"),
    path("money/reconciliation/breaks/<int:pk>/resolve/", reports.break_resolve, name="break_resolve"),
    path("money/reconciliation/waiting/<int:pk>/", report_confirmations.waiting_page, name="report_to_confirm"),
    path("money/reconciliation/waiting/<int:pk>/confirm/", report_confirmations.confirm, name="report_confirm"),
    path("money/reconciliation/waiting/<int:pk>/discard/", report_confirmations.discard, name="report_discard"),
    path("money/reconciliation/<int:pk>/", reports.settlement_page, name="settlement"),
    path("money/reconciliation/<int:pk>/original/", reports.settlement_original, name="settlement_original"),
    path("money/reconciliation/breaks/", BreakList.as_view(), name="breaks"),
    path("money/reconciliation/breaks/give/", breaks.breaks_give, name="breaks_give"),
    path("money/reconciliation/breaks/<int:pk>/", breaks.break_page, name="break"),
    path("money/reconciliation/breaks/<int:pk>/settle/", breaks.break_settle, name="break_settle"),
    path("money/reconciliation/breaks/<int:pk>/comment/", breaks.break_comment, name="break_comment"),
    path("money/reconciliation/breaks/<int:pk>/to-bank/", breaks.break_to_bank, name="break_to_bank"),
    path("money/reconciliation/breaks/<int:pk>/propose/", breaks.break_propose, name="break_propose"),
    path("money/reconciliation/notes/<int:pk>/file/", breaks.break_file, name="break_file"),
    path("money/reconciliation/reserves/", TableView.as_view(table=ReserveTable), name="reserves"),
    path("money/reconciliation/suggestions/", TableView.as_view(table=SuggestionTable), name="suggestions"),
    path("money/reconciliation/suggestions/<int:pk>/accept/", breaks.suggestion_accept, name="suggestion_accept"),
    path("money/reconciliation/suggestions/<int:pk>/reject/", breaks.suggestion_reject, name="suggestion_reject"),
    path("money/reconciliation/matches/<int:pk>/undo/", breaks.match_undo, name="match_undo"),
    path("money/reconciliation/ageing/", breaks.ageing_page, name="ageing"),
    path("money/psps/<int:pk>/costs/", costs.cost_page, name="psp_costs"),
    path("money/psps/<int:pk>/costs/new/", costs.cost_new, name="psp_cost_new"),
    path("money/psps/costs/<int:pk>/take-back/", costs.cost_take_back, name="psp_cost_take_back"),
    path("money/sources/", sources.sources_page, name="money_sources"),
    path("money/sources/run/", sources.source_run, name="source_run"),
    path("money/sources/daily/<int:pk>/", sources.daily_fetch, name="daily_fetch"),
]

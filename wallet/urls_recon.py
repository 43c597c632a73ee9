"""Addresses of the reconciliation: breaks, suggestions, matches taken back, ageing."""

from django.urls import path

from crm.ui.views import TableView
from wallet.tables_recon import BreakTable, ReserveTable, SuggestionTable
from wallet.views import breaks


class BreakList(TableView):
    table = BreakTable
    template_name = "wallet/breaks.html"


RECON = [
    path("money/reconciliation/breaks/", BreakList.as_view(), name="breaks"),
    path("money/reconciliation/breaks/give/", breaks.breaks_give, name="breaks_give"),
    path("money/reconciliation/breaks/<int:pk>/", breaks.break_page, name="break"),
    path("money/reconciliation/breaks/<int:pk>/settle/", breaks.break_settle, name="break_settle"),
    path("money/reconciliation/breaks/<int:pk>/comment/", breaks.break_comment, name="break_comment"),
    path("money/reconciliation/breaks/<int:pk>/to-bank/", breaks.break_to_bank, name="break_to_bank"),
    path("money/reconciliation/breaks/<int:pk>/propose/", breaks.break_propose, name="break_propose"),
    path("money/reconciliation/postings/<int:pk>/approve/", breaks.break_approve, name="break_approve"),
    path("money/reconciliation/postings/<int:pk>/refuse/", breaks.break_refuse, name="break_refuse"),
    path("money/reconciliation/postings/<int:pk>/withdraw/", breaks.break_withdraw, name="break_withdraw"),
    path("money/reconciliation/notes/<int:pk>/file/", breaks.break_file, name="break_file"),
    path("money/reconciliation/reserves/", TableView.as_view(table=ReserveTable), name="reserves"),
    path("money/reconciliation/suggestions/", TableView.as_view(table=SuggestionTable), name="suggestions"),
    path("money/reconciliation/suggestions/<int:pk>/accept/", breaks.suggestion_accept, name="suggestion_accept"),
    path("money/reconciliation/suggestions/<int:pk>/reject/", breaks.suggestion_reject, name="suggestion_reject"),
    path("money/reconciliation/matches/<int:pk>/undo/", breaks.match_undo, name="match_undo"),
    path("money/reconciliation/ageing/", breaks.ageing_page, name="ageing"),
]

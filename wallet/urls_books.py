"""Addresses of the books: months, manual journals, cash."""

from django.urls import path

from wallet.views import cash, journals, ledger, neighbours, periods, rates

BOOKS = [
    path("money/next/<slug:kind>/<int:pk>/", neighbours.neighbour, name="neighbour"),
    path("money/cash/", cash.cash_page, name="cash"),
    path("money/rates/", rates.rates_page, name="rates"),
    path("money/rates/enter/", rates.enter_rate, name="rate_enter"),
    path("money/rates/<int:pk>/<slug:act>/", rates.decide_rate, name="rate_decide"),
    path("money/periods/", periods.period_list, name="periods"),
    path("money/periods/<int:pk>/", periods.period_page, name="period"),
    path("money/periods/<int:pk>/close/", periods.period_close, name="period_close"),
    path("money/periods/<int:pk>/reopen/", periods.reopening_ask, name="reopening_ask"),
    path("money/periods/<int:pk>/trial-balance/", periods.trial_balance_export, name="trial_balance"),
    path("money/reopenings/<int:pk>/decide/", periods.reopening_decide, name="reopening_decide"),
    path("money/reopenings/<int:pk>/withdraw/", periods.reopening_withdraw, name="reopening_withdraw"),
    path("money/ledger/accounts/<int:pk>/export/", ledger.account_export, name="ledger_export"),
    path("money/journals/", journals.ManualJournalList.as_view(), name="manual_journals"),
    path("money/journals/new/", journals.new_journal, name="manual_journal_new"),
    path("money/journals/accounts/", journals.account_options, name="account_options"),
    path("money/journals/<int:pk>/", journals.manual_journal_page, name="manual_journal"),
    path("money/journals/<int:pk>/post/", journals.manual_post, name="manual_post"),
    path("money/journals/<int:pk>/refuse/", journals.manual_refuse, name="manual_refuse"),
    path("money/journals/<int:pk>/files/", journals.manual_attach, name="manual_attach"),
    path("money/journals/files/<int:pk>/", journals.manual_file, name="manual_file"),
    path("money/journals/<int:pk>/withdraw/", journals.manual_withdraw, name="manual_withdraw"),
]

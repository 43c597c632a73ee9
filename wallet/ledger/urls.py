"""Addresses of the ledger pages."""

from django.urls import path

from wallet.ledger.views import journals, ledger

URLS = [
    path("money/ledger/", ledger.LedgerPage.as_view(), name="ledger"),
    path("money/ledger/accounts/<int:pk>/", ledger.account_page, name="ledger_account"),
    path("money/ledger/journals/<int:pk>/", ledger.journal_page, name="journal"),
    path("money/ledger/accounts/<int:pk>/export/", ledger.account_export, name="ledger_export"),
    path("money/journals/", journals.ManualJournalList.as_view(), name="manual_journals"),
    path("money/journals/new/", journals.new_journal, name="manual_journal_new"),
    path("money/journals/accounts/", journals.account_options, name="account_options"),
    path("money/journals/<int:pk>/", journals.manual_journal_page, name="manual_journal"),
    path("money/journals/<int:pk>/files/", journals.manual_attach, name="manual_attach"),
    path("money/journals/files/<int:pk>/", journals.manual_file, name="manual_file"),
]

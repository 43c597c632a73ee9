"""Addresses of the bank accounts' pages."""

from django.urls import path

from wallet.views import bank, statement_tables

BANK = [
    path("money/bank/", bank.BankPage.as_view(), name="bank"),
    path("money/bank/upload/", bank.bank_upload, name="bank_upload"),
    path("money/bank/entries/<int:pk>/", bank.BankEntryPage.as_view(), name="bank_entry"),
    path("money/bank/tables/", statement_tables.mappings, name="bank_mappings"),
    path("money/bank/tables/<int:pk>/", statement_tables.WaitingTablePage.as_view(), name="bank_table"),
    path("money/bank/tables/<int:pk>/discard/", statement_tables.discard, name="bank_table_discard"),
    path("money/bank/mappings/<int:pk>/forget/", statement_tables.forget, name="bank_mapping_forget"),
    path("money/bank/batches/", bank.bank_batch_make, name="bank_batch_make"),
    path("money/bank/batches/<int:pk>/file/", bank.bank_batch_file, name="bank_batch_file"),
    path("money/bank/batches/<int:pk>/sent/", bank.bank_batch_sent, name="bank_batch_sent"),
]

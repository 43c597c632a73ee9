"""Addresses of the bank pages."""

from django.urls import path

from wallet.bank.views import column_mappings, entries

URLS = [
    path("money/bank/", entries.BankPage.as_view(), name="bank"),
    path("money/bank/upload/", entries.bank_upload, name="bank_upload"),
    path("money/bank/entries/<int:pk>/", entries.BankEntryPage.as_view(), name="bank_entry"),
    path("money/bank/tables/", column_mappings.mappings, name="bank_mappings"),
    path("money/bank/tables/<int:pk>/", column_mappings.WaitingTablePage.as_view(), name="bank_table"),
    path("money/bank/tables/<int:pk>/discard/", column_mappings.discard, name="bank_table_discard"),
    path("money/bank/mappings/<int:pk>/forget/", column_mappings.forget, name="bank_mapping_forget"),
    path("money/bank/batches/", entries.bank_batch_make, name="bank_batch_make"),
    path("money/bank/batches/<int:pk>/file/", entries.bank_batch_file, name="bank_batch_file"),
    path("money/bank/batches/<int:pk>/sent/", entries.bank_batch_sent, name="bank_batch_sent"),
]

"""Addresses of the documents pages."""

from django.urls import path

from wallet.documents.views import documents, letterheads

URLS = [
    path("money/documents/", documents.DocumentList.as_view(), name="documents"),
    path("money/documents/prove/", documents.prove, name="document_prove"),
    path("money/documents/month/", documents.month, name="document_month"),
    path("money/documents/<int:pk>/", documents.document_page, name="document"),
    path("money/documents/<int:pk>/file/", documents.document_file, name="document_file"),
    path("money/documents/deposits/<int:pk>/receipt/", documents.receipt, name="deposit_receipt"),
    path("money/documents/reports/<int:pk>/pack/", documents.psp_pack, name="psp_pack"),
    path("money/documents/letterheads/", letterheads.letterhead_list, name="letterheads"),
    path("money/documents/letterheads/<int:brand_id>/", letterheads.letterhead_page, name="letterhead"),
    path("money/documents/letterheads/<int:brand_id>/logo/", letterheads.logo, name="letterhead_logo"),
]

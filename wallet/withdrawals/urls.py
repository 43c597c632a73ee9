"""Addresses of the withdrawals pages."""

from django.urls import path

from wallet.withdrawals.views import batches, investigations, withdrawals

URLS = [
    path("money/withdrawals/", withdrawals.WithdrawalQueuePage.as_view(), name="withdrawal_queue"),
    path("money/withdrawals/batch/", batches.preview, name="withdrawal_batch"),
    path("money/withdrawals/batch/confirm/", batches.confirm, name="withdrawal_batch_confirm"),
    path("money/withdrawals/batch/<int:pk>/", batches.result, name="withdrawal_batch_result"),
    path("money/withdrawals/all/", withdrawals.WithdrawalListPage.as_view(), name="withdrawals"),
    path("money/withdrawals/<int:withdrawal_id>/", withdrawals.WithdrawalPage.as_view(), name="withdrawal"),
    path("money/withdrawals/<int:withdrawal_id>/approve/", withdrawals.approve, name="withdrawal_approve"),
    path("money/withdrawals/<int:withdrawal_id>/reject/", withdrawals.reject, name="withdrawal_reject"),
    path("money/withdrawals/<int:withdrawal_id>/claim/", withdrawals.claim_back, name="refund_claim_back"),
    path("money/withdrawals/<int:withdrawal_id>/look-up/", withdrawals.look_up, name="withdrawal_look_up"),
    path("money/withdrawals/<int:withdrawal_id>/finding/", investigations.propose, name="payout_finding_propose"),
]

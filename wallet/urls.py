from django.urls import path

from crm.ui.views import TableView
from wallet.tables import DepositTable, ExchangeTable, TransferTable, WebhookTable
from wallet.urls_bank import BANK
from wallet.urls_books import BOOKS
from wallet.urls_costs import COSTS
from wallet.urls_documents import DOCUMENTS
from wallet.urls_in import urlpatterns as money_in
from wallet.urls_month_end import MONTH_END
from wallet.urls_recon import RECON
from wallet.views import (
    batches,
    client,
    findings,
    ledger,
    movements,
    psp_addresses,
    psps,
    reconciliation,
    report_confirmations,
    setup,
    webhooks,
)

app_name = "wallet"
urlpatterns = [
    path("webhooks/psp/<slug:code>/", webhooks.psp_webhook, name="psp_webhook"),
    path("money/deposits/", TableView.as_view(table=DepositTable), name="deposits"),
    path("money/deposits/<int:deposit_id>/", movements.DepositPage.as_view(), name="deposit"),
    path("money/deposits/<int:deposit_id>/refund/", movements.refund, name="deposit_refund"),
    path("money/withdrawals/", movements.WithdrawalQueuePage.as_view(), name="withdrawal_queue"),
    path("money/withdrawals/batch/", batches.preview, name="withdrawal_batch"),
    path("money/withdrawals/batch/confirm/", batches.confirm, name="withdrawal_batch_confirm"),
    path("money/withdrawals/batch/<int:pk>/", batches.result, name="withdrawal_batch_result"),
    path("money/withdrawals/all/", movements.WithdrawalListPage.as_view(), name="withdrawals"),
    path("money/withdrawals/<int:withdrawal_id>/", movements.WithdrawalPage.as_view(), name="withdrawal"),
    path("money/withdrawals/<int:withdrawal_id>/approve/", movements.approve, name="withdrawal_approve"),
    path("money/withdrawals/<int:withdrawal_id>/reject/", movements.reject, name="withdrawal_reject"),
    path("money/withdrawals/<int:withdrawal_id>/claim/", movements.claim_back, name="refund_claim_back"),
    path("money/withdrawals/<int:withdrawal_id>/look-up/", movements.look_up, name="withdrawal_look_up"),
    path("money/withdrawals/<int:withdrawal_id>/finding/", findings.say, name="payout_finding_say"),
    path("money/withdrawals/findings/<int:pk>/agree/", findings.agree, name="payout_finding_agree"),
    path("money/withdrawals/findings/<int:pk>/refuse/", findings.refuse, name="payout_finding_refuse"),
    path("money/withdrawals/findings/<int:pk>/withdraw/", findings.withdraw, name="payout_finding_withdraw"),
    path("money/transfers/", TableView.as_view(table=TransferTable), name="transfers"),
    path("money/transfers/<int:transfer_id>/", movements.transfer_page, name="transfer"),
    path("money/exchanges/", TableView.as_view(table=ExchangeTable), name="exchanges"),
    path("money/exchanges/<int:exchange_id>/", movements.exchange_page, name="exchange"),
    path("money/ledger/", ledger.LedgerPage.as_view(), name="ledger"),
    path("money/ledger/accounts/<int:pk>/", ledger.account_page, name="ledger_account"),
    path("money/ledger/journals/<int:pk>/", ledger.journal_page, name="journal"),
    path("money/psps/", psps.psp_list, name="psps"),
    path("money/psps/new/", psps.NewPspPage.as_view(), name="psp_new"),
    path("money/psps/<int:pk>/", psps.PspPage.as_view(), name="psp"),
    path("money/psps/<int:pk>/health/", psps.health_page, name="psp_health"),
    path("money/psps/reports/<int:pk>/again/", psps.report_fetch_again, name="report_fetch_again"),
    path("money/psps/<int:pk>/address/", psp_addresses.propose, name="psp_address_propose"),
    path("money/psps/addresses/<int:pk>/approve/", psp_addresses.approve, name="psp_address_approve"),
    path("money/psps/addresses/<int:pk>/refuse/", psp_addresses.refuse, name="psp_address_refuse"),
    path("money/psps/addresses/<int:pk>/withdraw/", psp_addresses.withdraw, name="psp_address_withdraw"),
    path("money/psps/<int:pk>/check/", psps.psp_check, name="psp_check"),
    path("money/psps/<int:pk>/methods/", psps.method_add, name="psp_method_add"),
    path("money/psps/<int:pk>/methods/<int:method_id>/", psps.MethodPage.as_view(), name="psp_method"),
    path("money/webhooks/", TableView.as_view(table=WebhookTable), name="webhooks"),
    path("money/webhooks/<int:pk>/", setup.webhook_page, name="webhook"),
    path("money/webhooks/<int:pk>/retry/", setup.webhook_retry, name="webhook_retry"),
    path("money/reconciliation/", reconciliation.ReconciliationPage.as_view(), name="reconciliation"),
    path("money/reconciliation/upload/", reconciliation.report_upload, name="report_upload"),
    path("money/reconciliation/fetch/", reconciliation.ReportFetch.as_view(), name="report_fetch"),
    path("money/reconciliation/breaks/<int:pk>/resolve/", reconciliation.break_resolve, name="break_resolve"),
    path("money/reconciliation/waiting/<int:pk>/", report_confirmations.waiting_page, name="report_to_confirm"),
    path("money/reconciliation/waiting/<int:pk>/confirm/", report_confirmations.confirm, name="report_confirm"),
    path("money/reconciliation/waiting/<int:pk>/discard/", report_confirmations.discard, name="report_discard"),
    path("money/reconciliation/<int:pk>/", reconciliation.settlement_page, name="settlement"),
    path("money/reconciliation/<int:pk>/original/", reconciliation.settlement_original, name="settlement_original"),
    path("clients/<int:client_id>/statement/", client.statement, name="client_statement"),
    *BOOKS,
    *money_in,
    *BANK,
    *RECON,
    *COSTS,
    *DOCUMENTS,
    *MONTH_END,
]

"""Addresses of the webhooks pages."""

from django.urls import path

from crm.ui.views import TableView
from wallet.webhooks.tables import WebhookTable
from wallet.webhooks.views import messages, psp_addresses, psps, receiving

URLS = [
    path("webhooks/psp/<slug:code>/", receiving.psp_webhook, name="psp_webhook"),
    path("money/psps/", psps.psp_list, name="psps"),
    path("money/psps/new/", psps.NewPspPage.as_view(), name="psp_new"),
    path("money/psps/<int:pk>/", psps.PspPage.as_view(), name="psp"),
    path("money/psps/<int:pk>/health/", psps.health_page, name="psp_health"),
    path("money/psps/reports/<int:pk>/again/", psps.report_fetch_again, name="report_fetch_again"),
    path("money/psps/<int:pk>/address/", psp_addresses.propose, name="psp_address_propose"),
    path("money/psps/addresses/<int:pk>/approve/", psp_addresses.approve, name="psp_address_approve"),
    path("money/psps/<int:pk>/check/", psps.psp_check, name="psp_check"),
    path("money/psps/<int:pk>/methods/", psps.method_add, name="psp_method_add"),
    path("money/psps/<int:pk>/methods/<int:method_id>/", psps.MethodPage.as_view(), name="psp_method"),
    path("money/webhooks/", TableView.as_view(table=WebhookTable), name="webhooks"),
    path("money/webhooks/<int:pk>/", messages.webhook_page, name="webhook"),
    path("money/webhooks/<int:pk>/retry/", messages.webhook_retry, name="webhook_retry"),
]

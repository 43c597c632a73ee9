"""Addresses of KYC providers."""

from django.urls import path

from crm.connections import views as connections
from crm.ui.views import TableView
from kyc.providers.tables import ProviderCheckTable, ProviderMessageTable
from kyc.providers.views import checks, setup

urlpatterns = [
    path("webhooks/kyc/<slug:code>/", setup.kyc_webhook, name="webhook"),
    *connections.paths(setup.PAGES),
    path("kyc/providers/checks/", TableView.as_view(table=ProviderCheckTable), name="provider_checks"),
    path("kyc/providers/checks/<int:check_id>/", checks.check_page, name="provider_check"),
    path("kyc/providers/checks/<int:check_id>/refresh/", checks.check_refresh, name="provider_check_refresh"),
    path("kyc/providers/checks/<int:check_id>/cancel/", checks.check_cancel, name="provider_check_cancel"),
    path("kyc/providers/messages/", TableView.as_view(table=ProviderMessageTable), name="provider_messages"),
    path("kyc/providers/messages/<int:message_id>/", setup.message_page, name="provider_message"),
    path("kyc/providers/messages/<int:message_id>/retry/", setup.message_retry, name="provider_message_retry"),
]

from django.urls import URLPattern, URLResolver, path

from crm.ui.views import TableView
from trading.tables import AccountTable, DealTable
from trading.views import account_types, accounts, health, imports, requests, servers

urlpatterns: list[URLPattern | URLResolver] = [
    path("trading/accounts/", TableView.as_view(table=AccountTable), name="trading_accounts"),
    path("trading/accounts/<int:account_id>/", accounts.AccountPage.as_view(), name="trading_account"),
    path("trading/accounts/<int:account_id>/deals/", accounts.AccountDeals.as_view(), name="trading_account_deals"),
    path("trading/accounts/<int:account_id>/leverage/", accounts.ChangeLeverage.as_view(), name="trading_leverage"),
    path("trading/accounts/<int:account_id>/password/", accounts.ResetPassword.as_view(), name="trading_password"),
    path("trading/accounts/<int:account_id>/retry/", accounts.RetryAccount.as_view(), name="trading_retry"),
    path("trading/open/<int:client_id>/", accounts.OpenAccount.as_view(), name="trading_open_account"),
    path("trading/deals/", TableView.as_view(table=DealTable), name="trading_deals"),
    path("trading/exposure/", health.ExposurePage.as_view(), name="trading_exposure"),
    path("trading/health/", health.HealthPage.as_view(), name="trading_health"),
    path("trading/operations/<int:operation_id>/", health.DecideOperation.as_view(), name="trading_operation"),
    path("trading/issues/<int:issue_id>/close/", health.CloseIssue.as_view(), name="trading_issue_close"),
    path("trading/requests/", requests.RequestList.as_view(), name="trading_requests"),
    path("trading/requests/<int:request_id>/", requests.RequestPage.as_view(), name="trading_request"),
    path("trading/requests/<int:request_id>/<slug:act>/", requests.DecideRequest.as_view(), name="trading_request_act"),
    path("trading/imports/", imports.ImportList.as_view(), name="trading_imports"),
    path("trading/imports/new/", imports.NewImport.as_view(), name="trading_import_new"),
    path("trading/imports/<int:import_id>/", imports.ImportPage.as_view(), name="trading_import"),
    path("trading/imports/<int:import_id>/<slug:act>/", imports.ImportAct.as_view(), name="trading_import_act"),
    path("trading/imports/logins/<int:row_id>/", imports.StagedPage.as_view(), name="trading_staged"),
    path("trading/imports/logins/<int:row_id>/<slug:act>/", imports.StagedAct.as_view(), name="trading_staged_act"),
    path("trading/types/", account_types.AccountTypeList.as_view(), name="trading_types"),
    path("trading/types/new/", account_types.AccountTypePage.as_view(), name="trading_type_new"),
    path("trading/types/<int:type_id>/", account_types.AccountTypePage.as_view(), name="trading_type"),
    path("trading/leverage-caps/", account_types.CapsPage.as_view(), name="trading_caps"),
    path("trading/servers/", servers.ServerList.as_view(), name="trading_servers"),
    path("trading/servers/new/", servers.ServerPage.as_view(), name="trading_server_new"),
    path("trading/servers/<int:server_id>/", servers.ServerPage.as_view(), name="trading_server"),
    path("trading/servers/<int:server_id>/try/", servers.TryConnection.as_view(), name="trading_server_try"),
]

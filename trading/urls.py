from django.urls import URLPattern, URLResolver, path

from crm.ui.views import TableView
from trading.accounts.tables import AccountTable, DealTable
from trading.accounts.views import accounts, archive, requests
from trading.cap_breaches.views import account_types, caps
from trading.imports import login_views
from trading.imports import views as imports
from trading.risk.views import dealing, margin
from trading.servers import views as servers
from trading.symbols import views as symbols
from trading.symbols.tables import PlatformBreakTable, SymbolTable, UnknownDealTable
from trading.sync.views import health, steps

urlpatterns: list[URLPattern | URLResolver] = [
    path("trading/accounts/", TableView.as_view(table=AccountTable), name="trading_accounts"),
    path("trading/accounts/<int:account_id>/", accounts.AccountPage.as_view(), name="trading_account"),
    path(
        "trading/accounts/<int:account_id>/results/", accounts.AccountResults.as_view(), name="trading_account_results"
    ),
    path("trading/accounts/<int:account_id>/deals/", accounts.AccountDeals.as_view(), name="trading_account_deals"),
    path("trading/accounts/<int:account_id>/leverage/", accounts.ChangeLeverage.as_view(), name="trading_leverage"),
    path("trading/accounts/<int:account_id>/password/", accounts.ResetPassword.as_view(), name="trading_password"),
    path("trading/accounts/<int:account_id>/retry/", accounts.RetryAccount.as_view(), name="trading_retry"),
    path("trading/accounts/<int:account_id>/attach/", login_views.ProposeLogin.as_view(), name="trading_attach"),
    path("trading/logins/<int:proposal_id>/", login_views.LoginProposalPage.as_view(), name="trading_login"),
    path("trading/accounts/<int:account_id>/archive/", archive.ArchiveAccount.as_view(), name="trading_archive"),
    path("trading/accounts/<int:account_id>/restore/", archive.RestoreAccount.as_view(), name="trading_restore"),
    path("trading/open/<int:client_id>/", accounts.OpenAccount.as_view(), name="trading_open_account"),
    path("trading/deals/", TableView.as_view(table=DealTable), name="trading_deals"),
    path("trading/deals/unknown/", TableView.as_view(table=UnknownDealTable), name="trading_unknown_deals"),
    path("trading/deals/<int:server_id>/<int:ticket>/", steps.DealPage.as_view(), name="trading_deal"),
    path("trading/symbols/", TableView.as_view(table=SymbolTable), name="trading_symbols"),
    path("trading/symbols/confirm/", symbols.ConfirmSymbols.as_view(), name="trading_symbols_confirm"),
    path("trading/symbols/<int:info_id>/", symbols.SymbolPage.as_view(), name="trading_symbol"),
    path("trading/symbols/<int:info_id>/leave-out/", symbols.LeaveOutSymbol.as_view(), name="trading_symbol_leave_out"),
    path("trading/symbols/<int:info_id>/correct/", symbols.CorrectMapping.as_view(), name="trading_symbol_correct"),
    path("trading/breaks/", TableView.as_view(table=PlatformBreakTable), name="trading_breaks"),
    path("trading/breaks/<int:break_id>/", steps.BreakPage.as_view(), name="trading_break"),
    path("trading/breaks/<int:break_id>/fetch/", steps.FetchAgain.as_view(), name="trading_break_fetch"),
    path("trading/servers/<int:server_id>/steps/", steps.ServerSteps.as_view(), name="trading_server_steps"),
    path("trading/backfills/<int:backfill_id>/<slug:act>/", steps.BackfillAct.as_view(), name="trading_backfill_act"),
    path("trading/dealing/", dealing.DealingPage.as_view(), name="trading_dealing"),
    path("trading/exposure/", dealing.ExposurePage.as_view(), name="trading_exposure"),
    path("trading/exposure/<path:symbol>/", dealing.HoldersPage.as_view(), name="trading_holders"),
    path("trading/margin/", margin.MarginList.as_view(), name="trading_margin"),
    path("trading/margin/limits/", margin.MarginPolicies.as_view(), name="trading_margin_policies"),
    path("trading/margin/limits/<slug:code>/", margin.MarginPolicyPage.as_view(), name="trading_margin_policy"),
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
    path("trading/leverage-caps/", caps.CapsPage.as_view(), name="trading_caps"),
    path("trading/leverage-caps/above/", caps.AccountsAbove.as_view(), name="trading_caps_above"),
    path("trading/leverage-caps/above/put-right/", caps.PutRight.as_view(), name="trading_caps_put_right"),
    path("trading/leverage-caps/<int:line_id>/", caps.EndLine.as_view(), name="trading_cap_end"),
    path("trading/servers/", servers.ServerList.as_view(), name="trading_servers"),
    path("trading/servers/new/", servers.ServerPage.as_view(), name="trading_server_new"),
    path("trading/servers/<int:server_id>/", servers.ServerPage.as_view(), name="trading_server"),
    path(
        "trading/servers/addresses/<int:change_id>/approve/",
        servers.ApproveAddress.as_view(),
        name="trading_server_address",
    ),
    path("trading/servers/<int:server_id>/try/", servers.TryConnection.as_view(), name="trading_server_try"),
]

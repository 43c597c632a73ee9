from crm.choices import Role
from crm.security.roles import grants

SEES = ["view_tradingaccount", "view_deal_list", "view_position", "view_balanceoperation"]
grants(
    "trading",
    {
        Role.AGENT: SEES,
        Role.RETENTION: [*SEES, "open_account"],
        Role.DESK_HEAD: [*SEES, "open_account", "change_leverage", "decide_request", "archive_account"],
        Role.KYC_OFFICER: ["view_tradingaccount"],
        Role.MLRO: [*SEES, "view_accounttype", "view_leveragecap", "change_leveragecap"],
        Role.FINANCE: [
            *SEES,
            "adjust_balance",
            "resolve_operation",
            "view_platform_health",
            "decide_break",
            "view_symbolalias",
            "change_symbolalias",
        ],
        Role.IB_MANAGER: [*SEES, "view_symbolalias"],
        Role.SUPPORT: [
            *SEES,
            "open_account",
            "change_leverage",
            "reset_password",
            "decide_request",
            "archive_account",
            "import_accounts",
        ],
        Role.AUDITOR: [*SEES, "view_platform_health", "view_accounttype", "view_leveragecap", "view_symbolalias"],
        Role.ADMINISTRATOR: [
            *SEES,
            "change_marginpolicy",
            "open_account",
            "change_leverage",
            "decide_request",
            "archive_account",
            "import_accounts",
            "view_platform_health",
            "manage_servers",
            "add_accounttype",
            "change_accounttype",
            "view_accounttype",
            "view_leveragecap",
            "view_symbolalias",
            "change_symbolalias",
            "decide_break",
            "backfill_deals",
        ],
    },
)

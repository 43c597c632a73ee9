from crm.choices import Role
from crm.roles import grants

SEES = ["view_deposit", "view_withdrawal", "view_transfer", "view_bonusgrant"]
SEES_BOOKS = [
    *SEES,
    "view_account",
    "view_journal",
    "view_psp",
    "view_webhookmessage",
    "view_settlementimport",
    "view_bonusplan",
]
grants(
    "wallet",
    {
        Role.AGENT: SEES,
        Role.RETENTION: [*SEES, "grant_bonus"],
        Role.DESK_HEAD: [*SEES, "grant_bonus"],
        Role.SUPPORT: SEES,
        Role.KYC_OFFICER: SEES,
        Role.MLRO: SEES_BOOKS,
        Role.AUDITOR: SEES_BOOKS,
        Role.IB_MANAGER: ["view_deposit"],
        Role.FINANCE: [
            *SEES_BOOKS,
            "approve_withdrawal",
            "request_withdrawal_for_client",
            "release_deposit",
            "refund_deposit",
            "manage_psp",
            "run_reconciliation",
            "export_money",
            "grant_bonus",
            "approve_bonus",
            "manage_bonus",
        ],
        Role.ADMINISTRATOR: [*SEES_BOOKS, "manage_psp"],
    },
)

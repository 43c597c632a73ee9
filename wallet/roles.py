from crm.choices import Role
from crm.security.roles import grants

SEES = ["view_deposit", "view_withdrawal", "view_transfer", "view_bonusgrant"]
SEES_BOOKS = [
    *SEES,
    "view_account",
    "view_journal",
    "view_period",
    "view_manualjournal",
    "view_psp",
    "view_webhookmessage",
    "view_settlementimport",
    "view_bankentry",
    "view_bonusplan",
    "view_dispute",
    "view_unverifiedrule",
    "view_issueddocument",
]
grants(
    "wallet",
    {
        Role.AGENT: SEES,
        Role.RETENTION: [*SEES, "grant_bonus"],
        Role.DESK_HEAD: [*SEES, "grant_bonus"],
        Role.SUPPORT: SEES,
        Role.KYC_OFFICER: [*SEES, "view_unverifiedrule"],
        # Compliance is the second pair of eyes on a closed month, beside finance.
        Role.MLRO: [*SEES_BOOKS, "reopen_period", "manage_unverifiedrule"],
        Role.AUDITOR: SEES_BOOKS,
        Role.IB_MANAGER: ["view_deposit"],
        Role.FINANCE: [
            *SEES_BOOKS,
            "approve_withdrawal",
            "request_withdrawal_for_client",
            "release_deposit",
            "refund_deposit",
            "manage_psp",
            "approve_pspcost",
            "run_reconciliation",
            "post_break",
            "handle_bank_entries",
            "send_bank_orders",
            "export_money",
            "close_period",
            "reopen_period",
            "write_journal",
            "post_manual_journal",
            "grant_bonus",
            "approve_bonus",
            "manage_bonus",
            "answer_dispute",
            "make_issueddocument",
            "manage_letterhead",
        ],
        Role.ADMINISTRATOR: [*SEES_BOOKS, "manage_psp", "manage_letterhead"],
    },
)

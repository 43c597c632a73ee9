"""The wallet's pages on the staff menu, and what the "+" creates in them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.choices import Role
from crm.models import User
from crm.ui.panels import CreateEntry, MenuEntry
from wallet import tiles

COUNT_MAX = 100
# Who closes the books; compliance reads the ledger and client money, and finds the rest with the command palette.
OFFICE = (Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)


def _waiting(user: User) -> int | None:
    """Count the withdrawals that wait for somebody; at most a hundred are counted."""
    count = tiles.withdrawals_to_decide(user, COUNT_MAX)
    return count or None


MENU: tuple[MenuEntry | CreateEntry, ...] = (
    CreateEntry(_("Bonus"), "wallet:bonus_give", "wallet.grant_bonus", "coins", 40, for_client=True),
    CreateEntry(_("Bank statement"), "wallet:bank", "wallet.handle_bank_entries", "landmark", 44, is_dialog=False),
    CreateEntry(
        _("Manual journal"), "wallet:manual_journal_new", "wallet.write_journal", "square-pen", 45, is_dialog=False
    ),
    MenuEntry(
        "money",
        _("Pending withdrawals"),
        "wallet:withdrawal_queue",
        "wallet.approve_withdrawal",
        "hand-coins",
        10,
        count=_waiting,
        words="payouts queue approve four eyes",
        group="payments",
    ),
    MenuEntry(
        "money",
        _("Deposits"),
        "wallet:deposits",
        "wallet.view_deposit",
        "arrow-down-left",
        20,
        words="ftd payments",
        group="payments",
    ),
    MenuEntry(
        "money",
        _("Held deposits"),
        "wallet:held",
        "wallet.release_deposit",
        "hourglass",
        22,
        words="review payer amount late",
        group="payments",
    ),
    MenuEntry(
        "money",
        _("Disputes"),
        "wallet:disputes",
        "wallet.view_dispute",
        "gavel",
        24,
        words="chargeback evidence bank",
        group="payments",
    ),
    MenuEntry(
        "money",
        _("Bonuses"),
        "wallet:bonuses",
        "wallet.view_bonusgrant",
        "coins",
        42,
        words="credit campaign",
        group="payments",
    ),
    MenuEntry(
        "money",
        _("All withdrawals"),
        "wallet:withdrawals",
        "wallet.view_withdrawal",
        "arrow-up-right",
        15,
        group="payments",
    ),
    MenuEntry(
        "money", _("Transfers"), "wallet:transfers", "wallet.view_transfer", "arrow-left-right", 40, group="payments"
    ),
    MenuEntry(
        "money",
        _("Currency exchanges"),
        "wallet:exchanges",
        "wallet.view_transfer",
        "repeat",
        45,
        words="fx conversion rate",
        group="payments",
        roles=(Role.KYC_OFFICER, Role.FINANCE, Role.MLRO, Role.AUDITOR, Role.ADMINISTRATOR),
    ),
    MenuEntry(
        "money",
        _("Exchange rates"),
        "wallet:rates",
        "wallet.view_account",
        "circle-dollar-sign",
        46,
        words="fx feed ecb stale markup currency price",
        group="books",
        roles=OFFICE,
    ),
    MenuEntry(
        "money",
        _("Cash"),
        "wallet:cash",
        "wallet.view_account",
        "banknote",
        48,
        words="safeguarding client money owed held liquidity fx position",
        group="books",
    ),
    MenuEntry(
        "money",
        _("Ledger"),
        "wallet:ledger",
        "wallet.view_account",
        "book-open",
        50,
        words="accounts balances journal",
        group="books",
    ),
    MenuEntry(
        "money",
        _("Manual journals"),
        "wallet:manual_journals",
        "wallet.view_manualjournal",
        "square-pen",
        54,
        count=tiles.journals_to_post,
        count_permission="wallet.post_manual_journal",
        words="correction write-off bank fee adjustment four eyes",
        group="books",
    ),
    MenuEntry(
        "money",
        _("Accounting periods"),
        "wallet:periods",
        "wallet.view_period",
        "calendar",
        56,
        words="month-end close carry-forward trial balance",
        group="books",
        roles=OFFICE,
    ),
    MenuEntry(
        "money",
        _("Issued documents"),
        "wallet:documents",
        "wallet.view_issueddocument",
        "file-text",
        66,
        words="statement receipt invoice pack hash prove letterhead logo",
        group="books",
    ),
    MenuEntry(
        "money",
        _("Month-end"),
        "wallet:month_end_start",
        "wallet.view_period",
        "clipboard-check",
        57,
        words="close sign checklist pack revaluation",
        group="books",
        roles=OFFICE,
    ),
    MenuEntry(
        "money",
        _("Client money"),
        "wallet:client_money_start",
        "wallet.view_account",
        "piggy-bank",
        58,
        words="CASS segregated requirement resource shortfall daily calculation",
        group="reconciliation",
    ),
    MenuEntry(
        "money",
        _("Reconciliation sources"),
        "wallet:money_sources",
        "wallet.view_settlementimport",
        "database",
        61,
        words="daily run freshness platform bank PSP three-way",
        group="reconciliation",
        roles=OFFICE,
    ),
    MenuEntry(
        "money",
        _("Reconciliation"),
        "wallet:reconciliation",
        "wallet.view_settlementimport",
        "scale",
        60,
        words="settlement month-end breaks",
        group="reconciliation",
    ),
    MenuEntry(
        "money",
        _("Bank entries"),
        "wallet:bank",
        "wallet.view_bankentry",
        "landmark",
        65,
        words="statement camt mt940 wire iban",
        group="reconciliation",
    ),
    MenuEntry(
        "money",
        _("Webhook inbox"),
        "wallet:webhooks",
        "wallet.view_webhookmessage",
        "webhook",
        70,
        group="reconciliation",
        roles=OFFICE,
    ),
    MenuEntry(
        "setup", _("PSPs"), "wallet:psps", "wallet.view_psp", "plug", 40, words="payment providers keys", group="money"
    ),
    MenuEntry(
        "setup",
        _("Payment methods"),
        "wallet:methods",
        "wallet.view_psp",
        "wallet-cards",
        41,
        words="fees limits countries offers",
        group="money",
    ),
    MenuEntry(
        "setup",
        _("Bonus plans"),
        "wallet:bonus_plans",
        "wallet.view_bonusplan",
        "sparkles",
        42,
        words="campaign terms",
        group="money",
    ),
    MenuEntry(
        "compliance",
        _("Unverified limits"),
        "wallet:unverified",
        "wallet.view_unverifiedrule",
        "timer",
        25,
        words="CySEC C721 limits unverified days",
        group="kyc",
    ),
)

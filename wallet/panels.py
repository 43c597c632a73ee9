"""The wallet's parts of pages that it doesn't own: menu, the client's Money tab, tiles, search."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm import approvals
from crm.choices import Role
from crm.i18n import formats
from crm.models import User
from crm.ui import panels
from crm.ui.kpis import kpi_tile
from crm.ui.panels import Card, MenuEntry, PaletteSource, RecordPart, Tab, Tile, register
from trading.models import TradingServer
from wallet import tiles
from wallet.bonuses.approval import BonusApproval
from wallet.choices import account_owners
from wallet.client_tab import money_tab
from wallet.closing import home_cards as finance_cards
from wallet.closing.periods import ReopeningApproval
from wallet.closing.second_signature import SignOffApproval
from wallet.core import queries
from wallet.disputes.bonus_disputes import BonusReturnApproval
from wallet.ledger.manual_journals import JournalApproval
from wallet.movements import client_overview, home_cards
from wallet.movements import queries as movements_queries
from wallet.psp.addresses import AddressApproval
from wallet.reconciliation.costs import CostApproval
from wallet.reconciliation.postings import PostingApproval
from wallet.transfers.rate_entries import RateApproval
from wallet.withdrawals.approval import WithdrawalApproval
from wallet.withdrawals.investigations import FindingApproval

COUNT_MAX = 100
LIST = "crm/ui/_list_card.html"

approvals.register(
    RateApproval,
    AddressApproval,
    CostApproval,
    JournalApproval,
    ReopeningApproval,
    SignOffApproval,
    PostingApproval,
    BonusReturnApproval,
    FindingApproval,
    BonusApproval,
    WithdrawalApproval,
)


def _waiting(user: User) -> int | None:
    """Count the withdrawals that wait for somebody; at most a hundred are counted."""
    count = tiles.withdrawals_to_decide(user, COUNT_MAX)
    return count or None


def _find(user: User, query: str, limit: int) -> Iterator[panels.SearchResult]:
    """Find a movement by its reference, for the search box."""
    if len(query) >= 4 and query.upper()[:2] in ("D-", "W-", "T-", "X-"):
        for kind, row in movements_queries.movements_starting_with(user, query.upper(), limit):
            url = reverse(f"wallet:{kind}", args=[row.pk])
            yield panels.SearchResult(
                row.reference, url, f"{formats.money(row.money)} · {row.get_state_display()}", "wallet"
            )


def _find_journals(user: User, query: str, limit: int) -> Iterator[panels.SearchResult]:
    """Find a manual journal by its reference, for the search box."""
    if len(query) >= 4 and query.upper().startswith("M-"):
        rows = queries.manual_journals_visible_to(user).filter(reference__startswith=query.upper())
        for row in rows.order_by("reference")[:limit]:
            hint = f"{row.get_state_display()} · {row.reason}"
            yield panels.SearchResult(row.reference, reverse("wallet:manual_journal", args=[row.pk]), hint, "pencil")


register(
    MenuEntry(
        "money",
        _("Pending withdrawals"),
        "wallet:withdrawal_queue",
        "wallet.approve_withdrawal",
        "hand-coins",
        10,
        count=_waiting,
        words="payouts queue approve four eyes",
    ),
    MenuEntry("money", _("Deposits"), "wallet:deposits", "wallet.view_deposit", "wallet", 20, words="ftd payments"),
    MenuEntry(
        "money",
        _("Held deposits"),
        "wallet:held",
        "wallet.release_deposit",
        "hourglass",
        22,
        words="review payer amount late",
    ),
    MenuEntry(
        "money", _("Disputes"), "wallet:disputes", "wallet.view_dispute", "gavel", 24, words="chargeback evidence bank"
    ),
    MenuEntry("money", _("Bonuses"), "wallet:bonuses", "wallet.view_bonusgrant", "coins", 26, words="credit campaign"),
    MenuEntry("money", _("All withdrawals"), "wallet:withdrawals", "wallet.view_withdrawal", "banknote", 30),
    MenuEntry("money", _("Transfers"), "wallet:transfers", "wallet.view_transfer", "arrow-left-right", 40),
    MenuEntry(
        "money",
        _("Currency exchanges"),
        "wallet:exchanges",
        "wallet.view_transfer",
        "repeat",
        45,
        words="fx conversion rate",
    ),
    MenuEntry(
        "money",
        _("Exchange rates"),
        "wallet:rates",
        "wallet.view_account",
        "trending-up",
        46,
        words="fx feed ecb stale markup currency price",
    ),
    MenuEntry(
        "money",
        _("Cash"),
        "wallet:cash",
        "wallet.view_account",
        "landmark",
        48,
        words="safeguarding client money owed held liquidity fx position",
    ),
    MenuEntry(
        "money", _("Ledger"), "wallet:ledger", "wallet.view_account", "book-open", 50, words="accounts balances journal"
    ),
    MenuEntry(
        "money",
        _("Manual journals"),
        "wallet:manual_journals",
        "wallet.view_manualjournal",
        "pencil",
        54,
        count=tiles.journals_to_post,
        words="correction write-off bank fee adjustment four eyes",
    ),
    MenuEntry(
        "money",
        _("Accounting periods"),
        "wallet:periods",
        "wallet.view_period",
        "calendar",
        56,
        words="month-end close carry-forward trial balance",
    ),
    MenuEntry(
        "money",
        _("Issued documents"),
        "wallet:documents",
        "wallet.view_issueddocument",
        "file-text",
        66,
        words="statement receipt invoice pack hash prove letterhead logo",
    ),
    MenuEntry(
        "money",
        _("Month-end"),
        "wallet:month_end_start",
        "wallet.view_period",
        "calendar",
        57,
        words="close sign checklist pack revaluation",
    ),
    MenuEntry(
        "money",
        _("Client money"),
        "wallet:client_money_start",
        "wallet.view_account",
        "landmark",
        58,
        words="CASS segregated requirement resource shortfall daily calculation",
    ),
    MenuEntry(
        "money",
        _("Reconciliation sources"),
        "wallet:money_sources",
        "wallet.view_settlementimport",
        "activity",
        59,
        words="daily run freshness platform bank PSP three-way",
    ),
    MenuEntry(
        "money",
        _("Reconciliation"),
        "wallet:reconciliation",
        "wallet.view_settlementimport",
        "scale",
        60,
        words="settlement month-end breaks",
    ),
    MenuEntry(
        "money",
        _("Bank entries"),
        "wallet:bank",
        "wallet.view_bankentry",
        "landmark",
        65,
        words="statement camt mt940 wire iban",
    ),
    MenuEntry("money", _("Webhook inbox"), "wallet:webhooks", "wallet.view_webhookmessage", "webhook", 70),
    MenuEntry("setup", _("PSPs"), "wallet:psps", "wallet.view_psp", "plug", 40, words="payment providers keys"),
    MenuEntry(
        "setup",
        _("Payment methods"),
        "wallet:methods",
        "wallet.view_psp",
        "wallet-cards",
        41,
        words="fees limits countries offers",
    ),
    MenuEntry(
        "setup", _("Bonus plans"), "wallet:bonus_plans", "wallet.view_bonusplan", "coins", 42, words="campaign terms"
    ),
    MenuEntry(
        "compliance",
        _("Unverified limits"),
        "wallet:unverified",
        "wallet.view_unverifiedrule",
        "timer",
        60,
        words="CySEC C721 limits unverified days",
    ),
    RecordPart("client", "figure", "money", client_overview.figures, None, 20),
    RecordPart("client", "step", "money", client_overview.next_steps, "wallet.view_withdrawal", 20),
    RecordPart("client", "creation", "money", client_overview.creations, "wallet.grant_bonus", 40),
    Card(
        "client",
        "wallets",
        "wallet/movements/_client_card.html",
        client_overview.wallets_card,
        "wallet.view_deposit",
        10,
        place="top",
    ),
    Tab("client", "money", _("Money"), money_tab, "wallet.view_deposit", 40),
    Tile(
        "latest-deposits",
        LIST,
        home_cards.latest_deposits,
        "wallet.view_deposit",
        25,
        title=_("My clients' latest deposits"),
        roles=(Role.AGENT,),
    ),
    Tile(
        "biggest-withdrawals",
        LIST,
        home_cards.biggest_withdrawals,
        "wallet.view_withdrawal",
        32,
        title=_("Withdrawals requested"),
        roles=(Role.RETENTION,),
    ),
    Tile(
        "failed-payments",
        LIST,
        home_cards.failed_payments,
        "wallet.view_deposit",
        30,
        title=_("Failed payments"),
        roles=(Role.SUPPORT,),
    ),
    PaletteSource("movements", _("Money movements"), _find, "wallet.view_deposit", 40),
    PaletteSource("manual-journals", _("Manual journals"), _find_journals, "wallet.view_manualjournal", 45),
)
account_owners.register("server", lambda ids: dict(TradingServer.objects.filter(pk__in=ids).values_list("pk", "name")))

FINANCE = (Role.FINANCE,)
APPROVES, SEES_BOOKS = "wallet.approve_withdrawal", "wallet.view_account"
BARS = "crm/ui/_bars_card.html"
register(
    kpi_tile(
        "finance-withdrawals",
        _("Withdrawals to decide"),
        finance_cards.withdrawals_to_decide,
        APPROVES,
        1,
        roles=FINANCE,
    ),
    kpi_tile("finance-attention", _("Needs attention"), finance_cards.attention, SEES_BOOKS, 3, roles=FINANCE),
    kpi_tile("finance-cover", _("Client money cover"), finance_cards.cover, SEES_BOOKS, 4, roles=FINANCE),
    Tile(
        "finance-queue",
        LIST,
        finance_cards.oldest_withdrawals,
        APPROVES,
        6,
        title=_("Withdrawals, oldest first"),
        place="queue",
        roles=FINANCE,
    ),
    Tile(
        "finance-ages",
        BARS,
        finance_cards.pending_by_age,
        APPROVES,
        20,
        title=_("Pending withdrawals by age"),
        roles=FINANCE,
    ),
    Tile(
        "money-attention", LIST, finance_cards.attention_list, SEES_BOOKS, 21, title=_("Needs attention"), roles=FINANCE
    ),
    Tile(
        "finance-breaks",
        BARS,
        finance_cards.breaks_by_kind,
        SEES_BOOKS,
        22,
        title=_("Open breaks by kind"),
        roles=FINANCE,
    ),
    Tile("finance-psps", LIST, finance_cards.psp_balances, SEES_BOOKS, 23, title=_("PSP balances"), roles=FINANCE),
    Tile("finance-sources", LIST, finance_cards.sources, SEES_BOOKS, 24, title=_("Sources' reports"), roles=FINANCE),
    Tile(
        "client-money",
        LIST,
        finance_cards.cover_by_brand,
        SEES_BOOKS,
        25,
        title=_("Client money by brand"),
        roles=FINANCE,
    ),
)

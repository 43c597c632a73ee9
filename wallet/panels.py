"""The wallet's parts of pages that it doesn't own: menu, the client's Money tab, tiles, search."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm import approvals
from crm.choices import Role
from crm.i18n import formats
from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.staff.blockers import blocks_change
from crm.ui import panels
from crm.ui.kpis import kpi_tile
from crm.ui.panels import Card, PaletteSource, RecordPart, SetupStep, Tab, Tile, register
from trading.models import TradingServer
from wallet.bonuses.approval import BonusApproval
from wallet.choices import account_owners
from wallet.client_tab import money_tab
from wallet.closing import home_cards as finance_cards
from wallet.closing.periods import ReopeningApproval
from wallet.closing.second_signature import SignOffApproval
from wallet.core import queries
from wallet.disputes.bonus_disputes import BonusReturnApproval
from wallet.ledger.base_currency import has_journals
from wallet.ledger.manual_journals import JournalApproval
from wallet.menu import MENU
from wallet.models import PaymentMethod
from wallet.movements import client_overview, home_cards
from wallet.movements import queries as movements_queries
from wallet.opening_balances.approval import OpeningApproval
from wallet.psp.addresses import AddressApproval
from wallet.reconciliation.costs import CostApproval
from wallet.reconciliation.postings import PostingApproval
from wallet.transfers.rate_entries import RateApproval
from wallet.withdrawals.approval import WithdrawalApproval
from wallet.withdrawals.investigations import FindingApproval

LIST = "crm/ui/_list_card.html"
blocks_change(Brand, "base_currency", has_journals)

approvals.register(
    RateApproval,
    AddressApproval,
    CostApproval,
    JournalApproval,
    OpeningApproval,
    ReopeningApproval,
    SignOffApproval,
    PostingApproval,
    BonusReturnApproval,
    FindingApproval,
    BonusApproval,
    WithdrawalApproval,
)


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
    *MENU,
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


def has_payment_method(user: User) -> bool:
    """Check for a payment method that a PSP in use offers."""
    brands = reach_of(user).whole_brands
    return PaymentMethod.objects.filter(psp__brand__in=brands, psp__is_enabled=True, is_enabled=True).exists()


register(
    SetupStep(
        "psp",
        _("Payment provider"),
        _("Enter a PSP's keys, test the connection and offer a payment method."),
        "plug",
        "wallet:psps",
        has_payment_method,
        "wallet.manage_psp",
        70,
    )
)
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

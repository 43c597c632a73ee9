"""The front page of the client portal: the next step, account cards, and the curve of all accounts together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from clients.models import Client
from crm.i18n import formats
from crm.money.amounts import Money
from crm.ui.charts import area_chart
from kyc.questionnaires.choices import AskedAt
from kyc.questionnaires.gates import needed_for_deposits
from kyc.questionnaires.obligations import Standing, State, standings_of
from portal.onboarding import Progress
from trading.accounts.portfolio import CURVE_DAYS, Portfolio
from trading.choices import AccountState, PlatformKind
from trading.models import TradingAccount
from trading.platforms import downloads
from wallet.movements.queries import Wallet

# Letters of our own instead of the vendors' logos, which are their trademarks.
PLATFORM_MARKS: Final = {
    PlatformKind.MT5: "MT5",
    PlatformKind.MT4: "MT4",
    PlatformKind.CTRADER: "cT",
    PlatformKind.MATCHTRADER: "MTr",
    PlatformKind.SIRIX: "SX",
}


@dataclass(frozen=True, slots=True)
class NextStep:
    """The one thing a client does next; `is_outside` opens a trading platform in a tab of its own."""

    label: str
    url: str
    icon: str
    is_outside: bool = False


@dataclass(frozen=True, slots=True)
class AccountCard:
    """An account as the front page shows it, and where one trades on it."""

    account: TradingAccount
    mark: str
    terminal: str
    has_programs: bool

    @property
    def is_open(self) -> bool:
        return bool(self.account.state == AccountState.OPEN and not self.account.missing_since)

    @property
    def is_near_margin_call(self) -> bool:
        return 0 < self.account.margin_level < 150


def cards_of(accounts: Sequence[TradingAccount]) -> list[AccountCard]:
    """Describe accounts as cards; no query."""
    return [
        AccountCard(
            account,
            PLATFORM_MARKS[PlatformKind(account.server.kind)],
            downloads.web_terminal(account.server),
            bool(downloads.of_server(account.server)),
        )
        for account in accounts
    ]


def next_step(
    progress: Progress, wallets: Sequence[Wallet], cards: Sequence[AccountCard], questions: Sequence[Standing] = ()
) -> NextStep | None:
    """Choose what leads on: verification, questions that are due, the first deposit, an account, money on it, then trading.

    None while we are at it.
    """
    real = [card for card in cards if not card.account.is_demo]
    live = [card for card in real if card.is_open]
    has_money = any(wallet.available > 0 for wallet in wallets)
    if not progress.is_verified:
        if progress.next_step is None:
            return None
        label = ngettext("Get verified (%(n)s step left)", "Get verified (%(n)s steps left)", progress.steps_left)
        return NextStep(label % {"n": progress.steps_left}, progress.next_step.url, "shield-check")
    if questions:
        return NextStep(_("Answer our questions"), address_of(questions[0]), "list-checks")
    funded = [card for card in live if card.account.equity > 0]
    if not has_money and not funded:
        return NextStep(pgettext("verb", "Deposit"), reverse("portal_deposit"), "plus")
    if not real:
        return NextStep(_("Open an account"), reverse("portal_open_account"), "plus")
    if live and not funded:
        address = f"{reverse('portal_transfer')}?account={live[0].account.pk}"
        return NextStep(pgettext("verb", "Transfer"), address, "arrow-left-right")
    terminal = next((card.terminal for card in funded if card.terminal), "")
    if terminal:
        return NextStep(pgettext("verb", "Trade"), terminal, "chart-candlestick", is_outside=True)
    return NextStep(pgettext("verb", "Deposit"), reverse("portal_deposit"), "plus")


def questions_due(client: Client) -> list[Standing]:
    """List the questionnaires that the client has to answer from now on; those before deposits or withdrawals aren't yet.

    No query where the brand asks none.
    """
    return standings_of(client).due_from(AskedAt.REGISTRATION, AskedAt.ACCOUNT)


def questions_before_deposits(client: Client) -> list[tuple[str, str, Money | None]]:
    """List what is asked before deposits: title, address, and from which sum on (None: before any)."""
    rows = [(row, None) for row in standings_of(client).holding(AskedAt.REGISTRATION) if row.needs_client]
    rows += needed_for_deposits(client)  # type: ignore[arg-type]
    currency = client.brand.base_currency
    return [(row.content.label, address_of(row), Money(over, currency) if over else None) for row, over in rows]


def address_of(standing: Standing) -> str:
    """Return where a questionnaire is answered, or its warning confirmed."""
    if standing.state == State.WARNING and standing.submission is not None:
        return reverse("portal_answers", args=[standing.submission.pk])
    return reverse("portal_questionnaire", args=[standing.published.questionnaire_id])


def days_of(text: str) -> int:
    """Read the length of the curve from the address; the shortest for anything else."""
    return next((days for days in CURVE_DAYS if str(days) == text), CURVE_DAYS[0])


def curve_of(portfolio: Portfolio) -> SafeString:
    """Draw the equity of all accounts together, day by day."""
    if not portfolio.has_curve:
        return SafeString("")
    shown = [formats.money(Money(value, portfolio.currency)) for value in portfolio.curve]
    texts = [f"{formats.day(day)} · {value}" for day, value in zip(portfolio.days, shown, strict=True)]
    label = _("Equity from %(first)s to %(last)s: %(start)s to %(end)s") % {
        "first": formats.day(portfolio.days[0]),
        "last": formats.day(portfolio.days[-1]),
        "start": shown[0],
        "end": shown[-1],
    }
    return area_chart(portfolio.curve, texts, label=label)

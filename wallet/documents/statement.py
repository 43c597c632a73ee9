"""A client's statement of account: opening balance, every posting, closing balance, per wallet.

And the trading accounts.
In the client's language and the brand's look. Days begin and end in the brand's time zone. Up to `letter.ROWS_MAX`
lines it is set like a letter, beyond that written as a long report; the figures and their hash are the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients.models import Client
from clients.queries import clients_visible_to
from crm.choices import AccessKind
from crm.errors import DomainError, NotAllowed
from crm.models import Actor, Job
from crm.money.amounts import Money, from_minor
from crm.rendering.letter import ROWS_MAX
from crm.rendering.report import Column, Fingerprint, Named, Report, Row, Section
from crm.security import access_log
from crm.security.policies import require
from wallet.choices.documents import DocumentKind
from wallet.choices.ledger import AccountKind, JournalKind, Layer
from wallet.core.policies import is_own
from wallet.documents.making import checked_language, gathers, language_of, order
from wallet.documents.pdf import look_of
from wallet.documents.policies import can_have_documents
from wallet.documents.store import Draft
from wallet.ledger import posting
from wallet.ledger.account_history import JUST_BEFORE
from wallet.models import Account, Posting

LINES_MAX = 50_000
DAYS_MAX = 731

TRADING = """
SELECT a.login, s.name, a.currency,
  coalesce(sum(d.profit) FILTER (WHERE d.action = 2 AND d.profit > 0), 0),
  coalesce(sum(d.profit) FILTER (WHERE d.action = 2 AND d.profit < 0), 0),
  coalesce(sum(d.profit + d.commission + d.swap + d.fee) FILTER (WHERE d.action IN (0, 1)), 0),
  coalesce(sum(d.profit + d.commission + d.swap + d.fee) FILTER (WHERE d.action NOT IN (0, 1, 2, 3)), 0),
  count(*) FILTER (WHERE d.action IN (0, 1) AND d.closed_lots > 0)
FROM trading_tradingaccount a JOIN trading_tradingserver s ON s.id = a.server_id
JOIN trading_deal d ON d.account_id = a.id AND d.executed_at >= %(since)s AND d.executed_at < %(until)s
  AND d.deleted_at IS NULL
WHERE a.client_id = %(client)s AND NOT a.is_demo GROUP BY a.id, s.name ORDER BY a.id
"""


@dataclass(frozen=True, slots=True)
class StatementLine:
    at: dt.datetime
    kind: JournalKind
    description: str
    amount: Decimal
    balance: Decimal

    @property
    def kind_name(self) -> str:
        return str(self.kind.label)


@dataclass(frozen=True, slots=True)
class WalletPart:
    """One wallet in the period, in major units."""

    currency: str
    opening: Decimal
    closing: Decimal
    lines: tuple[StatementLine, ...]

    @property
    def money_in(self) -> Decimal:
        return sum((line.amount for line in self.lines if line.amount > 0), Decimal(0))

    @property
    def money_out(self) -> Decimal:
        return sum((line.amount for line in self.lines if line.amount < 0), Decimal(0))


@dataclass(frozen=True, slots=True)
class TradingPart:
    """The sums of a trading account's deals in the period, in its currency."""

    login: str
    server: str
    currency: str
    paid_in: Decimal
    taken_out: Decimal
    result: Decimal
    other: Decimal
    trades: int


@dataclass(frozen=True, slots=True)
class Statement:
    client: Client
    first: dt.date
    last: dt.date
    zone: str
    parts: tuple[WalletPart, ...]
    trading: tuple[TradingPart, ...]
    made_at: dt.datetime

    @property
    def subject(self) -> str:
        return f"client:{self.client.pk}:{self.first}:{self.last}"

    @property
    def line_count(self) -> int:
        return sum(len(part.lines) for part in self.parts)

    @property
    def content_hash(self) -> str:
        """The hash of the figures: the same statement made again, in any language, has the same."""
        mark = Fingerprint(f"statement:{self.subject}:{self.zone}")
        for part in self.parts:
            mark.row([part.currency, part.opening, part.closing])
            for line in part.lines:
                mark.row([line.at, line.kind.value, line.description, line.amount, line.balance])
        for account in self.trading:
            mark.row(
                [
                    account.login,
                    account.server,
                    account.currency,
                    account.paid_in,
                    account.taken_out,
                    account.result,
                    account.other,
                    account.trades,
                ]
            )
        return mark.hexdigest()


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_period(first: dt.date, last: dt.date) -> None:
    """Refuse a period that is the wrong way round or too long. Raises DomainError."""
    if last < first:
        raise DomainError(_("The start date must not be after the end date."))
    if (last - first).days > DAYS_MAX:
        raise DomainError(_("A statement covers two years at most."))


def bounds(first: dt.date, last: dt.date, zone: str) -> tuple[dt.datetime, dt.datetime]:
    """Return the instants at which the period begins and is over."""
    home = ZoneInfo(zone)
    since = dt.datetime.combine(first, dt.time(), tzinfo=home)
    return since, dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=home)


def gather(client: Client, first: dt.date, last: dt.date) -> Statement:
    """Read the figures. Raises DomainError for an impossible period or one with too many movements."""
    check_period(first, last)
    since, until = bounds(first, last, client.brand.time_zone)
    accounts = list(Account.objects.filter(client=client, kind=AccountKind.CLIENT_WALLET).order_by("currency"))
    opening = posting.balances([account.pk for account in accounts], at=since - JUST_BEFORE)
    closing = posting.balances([account.pk for account in accounts], at=until - JUST_BEFORE)
    parts = []
    for account in accounts:
        lines = _lines(account, since, until)
        if lines or opening[account.pk] or closing[account.pk]:
            currency = account.currency
            first_balance, last_balance = (from_minor(side[account.pk], currency) for side in (opening, closing))
            parts.append(WalletPart(currency, first_balance, last_balance, lines))
    trading = _trading(client, since, until)
    return Statement(client, first, last, client.brand.time_zone, tuple(parts), trading, timezone.now())


def _lines(account: Account, since: dt.datetime, until: dt.datetime) -> tuple[StatementLine, ...]:
    first, last = (posting.version_at(account, at - JUST_BEFORE) for at in (since, until))
    postings = (
        Posting.objects.filter(account=account, layer=Layer.MONEY, version__gt=first, version__lte=last)
        .order_by("version")
        .values_list("posted_at", "journal__kind", "journal__description", "amount_minor", "balance_after")
    )[: LINES_MAX + 1]
    currency = account.currency
    lines = tuple(
        StatementLine(
            at, JournalKind(kind), description, from_minor(amount, currency), from_minor(balance or 0, currency)
        )
        for at, kind, description, amount, balance in postings
    )
    if len(lines) > LINES_MAX:
        raise DomainError(_("Too many movements for one document. Choose a shorter period."))
    return lines


def _trading(client: Client, since: dt.datetime, until: dt.datetime) -> tuple[TradingPart, ...]:
    with connection.cursor() as cursor:
        cursor.execute(TRADING, {"client": client.pk, "since": since, "until": until})
        return tuple(TradingPart(*row) for row in cursor.fetchall())


# ── the document ─────────────────────────────────────────────────────────────────────────────────────────────────────


def draft_of(statement: Statement, language: str) -> Draft:
    """Lay a statement out as a letter, or as a long report when there are many lines."""
    client, first, last = statement.client, statement.first, statement.last
    is_long = statement.line_count > ROWS_MAX
    with translation.override(language):
        title = _("Statement of account")
        report = _report(statement, title) if is_long else None
    return Draft(
        kind=DocumentKind.STATEMENT,
        brand=client.brand,
        client=client,
        subject=statement.subject,
        language=language,
        title=title,
        file_name=f"statement-{client.brand.code}-{client.pk}-{first}-{last}.pdf",
        first=first,
        last=last,
        content_hash=statement.content_hash,
        zone=statement.zone,
        template="" if is_long else "wallet/documents/pdf/statement.html",
        context={"statement": statement, "client": client, "made_at": statement.made_at},
        report=report,
        expected_rows=statement.line_count,
    )


def _report(statement: Statement, title: str) -> Report:
    """Lay the same figures out as a long report; its printed hash is the statement's own."""
    client = statement.client
    columns = [
        Column(_("Date")),
        Column(_("Movement")),
        Column(_("Reference"), weight=2),
        Column(_("Amount"), end=True),
        Column(_("Balance"), end=True),
    ]
    sections = [
        Section(
            _("Wallet in %(currency)s") % {"currency": part.currency},
            facts=[
                (label, Money(amount, part.currency))
                for label, amount in (
                    (_("Opening balance"), part.opening),
                    (_("Money in"), part.money_in),
                    (_("Money out"), part.money_out),
                    (_("Closing balance"), part.closing),
                )
            ],
            columns=columns,
            rows=[_row(line, part.currency) for line in part.lines],
        )
        for part in statement.parts
    ]
    if statement.trading:
        sections.append(_trading_section(statement.trading))
    return Report(
        key=statement.subject,
        title=title,
        look=look_of(client.brand),
        made_at=statement.made_at,
        subtitle=f"{statement.first} – {statement.last}, {statement.zone}",
        content_hash_given=statement.content_hash,
        facts=[(_("Client"), client.full_name), (_("Client number"), str(client.pk))],
        sections=sections,
    )


def _row(line: StatementLine, currency: str) -> Row:
    return [
        line.at,
        Named(line.kind.value, line.kind_name),
        line.description,
        Money(line.amount, currency),
        Money(line.balance, currency),
    ]


def _trading_section(parts: Iterable[TradingPart]) -> Section:
    return Section(
        _("Trading accounts"),
        columns=[
            Column(_("Account")),
            Column(_("Deposits"), end=True),
            Column(_("Withdrawals"), end=True),
            Column(_("Closed trades"), end=True),
            Column(_("Result"), end=True),
            Column(_("Other"), end=True),
        ],
        rows=[
            [
                f"{part.login} · {part.server}",
                Money(part.paid_in, part.currency),
                Money(part.taken_out, part.currency),
                part.trades,
                Money(part.result, part.currency),
                Money(part.other, part.currency),
            ]
            for part in parts
        ],
    )


@gathers(DocumentKind.STATEMENT)
def draft_for(owner: Any, parameters: Mapping[str, Any]) -> Draft:
    """Gather the statement of a document job; the owner's rights are checked again.

    Raises: NotAllowed, DomainError.
    """
    client = clients_visible_to(owner).select_related("brand").filter(pk=parameters["client_id"]).first()
    if client is None:
        raise NotAllowed(_("You don't have access to this client."))
    require(can_have_documents(owner, client))
    first, last = (dt.date.fromisoformat(parameters[name]) for name in ("first", "last"))
    return draft_of(gather(client, first, last), parameters["language"])


def order_statement(*, client: Client, first: dt.date, last: dt.date, actor: Actor, language: str = "") -> Job:
    """Start the job that makes a statement; its result is the document.

    Who: the client, or staff who reach them and may make documents. The period is checked now, in words.
    """
    require(can_have_documents(actor, client))
    check_period(first, last)
    language = checked_language(language or language_of(client))
    if not is_own(actor, client):
        access_log.note(
            user=actor,
            kind=AccessKind.EXPORT,
            client_id=client.pk,
            brand_id=client.brand_id,
            target=f"wallet.statement:{first}:{last}",
        )
    return order(
        DocumentKind.STATEMENT,
        owner=actor,
        title=_("Statement %(first)s to %(last)s") % {"first": first, "last": last},
        parameters={"client_id": client.pk, "first": first.isoformat(), "last": last.isoformat(), "language": language},
    )

"""A client's statement of account: opening balance, every posting, closing balance, per wallet, as a PDF in their language."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm import access_log
from crm.choices import AccessKind
from crm.errors import DomainError
from crm.jobs import start_job
from crm.models import Job
from crm.money import from_minor
from crm.policies import require
from wallet import ledger
from wallet.choices import AccountKind, JournalKind, Layer
from wallet.documents.pdf import letter
from wallet.models import Account, Posting
from wallet.policies import can_request_withdrawal, is_own

LINES_MAX = 4_000  # beyond this a PDF takes minutes; a shorter period does not
DAYS_MAX = 731

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class StatementLine:
    at: dt.datetime
    kind: str
    description: str
    amount: Decimal
    balance: Decimal


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
class Statement:
    client: Client
    first: dt.date
    last: dt.date
    zone: str
    parts: tuple[WalletPart, ...]
    made_at: dt.datetime

    @property
    def content_hash(self) -> str:
        """What the figures are, in one number: the same statement made again has the same."""
        text = "\n".join(
            f"{part.currency}|{part.opening}|{part.closing}|"
            + ";".join(f"{line.at.isoformat()}|{line.description}|{line.amount}" for line in part.lines)
            for part in self.parts
        )
        return hashlib.sha256(f"{self.client.pk}|{self.first}|{self.last}\n{text}".encode()).hexdigest()


def gather(client: Client, first: dt.date, last: dt.date) -> Statement:
    """Read the figures. Days begin and end in the brand's time zone. Raises DomainError for a period that is too long."""
    if last < first:
        raise DomainError(_("The first day must not be after the last one."))
    if (last - first).days > DAYS_MAX:
        raise DomainError(_("A statement covers two years at most."))
    zone = ZoneInfo(client.brand.time_zone)
    since = dt.datetime.combine(first, dt.time(), tzinfo=zone)
    until = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=zone)
    accounts = list(Account.objects.filter(client=client, kind=AccountKind.CLIENT_WALLET).order_by("currency"))
    before = dt.timedelta(microseconds=1)
    opening = ledger.balances([account.pk for account in accounts], at=since - before)
    closing = ledger.balances([account.pk for account in accounts], at=until - before)
    parts = []
    for account in accounts:
        lines = _lines(account, since, until)
        if lines or opening[account.pk] or closing[account.pk]:
            currency = account.currency
            parts.append(
                WalletPart(
                    currency,
                    from_minor(opening[account.pk], currency),
                    from_minor(closing[account.pk], currency),
                    lines,
                )
            )
    return Statement(client, first, last, client.brand.time_zone, tuple(parts), timezone.now())


def _lines(account: Account, since: dt.datetime, until: dt.datetime) -> tuple[StatementLine, ...]:
    postings = (
        Posting.objects.filter(account=account, layer=Layer.MONEY, posted_at__gte=since, posted_at__lt=until)
        .select_related("journal")
        .order_by("posted_at", "version")[: LINES_MAX + 1]
    )
    lines = tuple(
        StatementLine(
            at=posting.posted_at,
            kind=str(JournalKind(posting.journal.kind).label),
            description=posting.journal.description,
            amount=from_minor(posting.amount_minor, account.currency),
            balance=from_minor(posting.balance_after or 0, account.currency),
        )
        for posting in postings
    )
    if len(lines) > LINES_MAX:
        raise DomainError(_("There are too many movements for one document. Choose a shorter period."))
    return lines


def make_pdf(statement: Statement, *, language: str, progress: Progress = lambda *_args: None) -> bytes:
    """The letter: tagged PDF with embedded fonts, in the client's language and the brand's colours."""
    progress(1, 2, _("Setting pages"))
    context = {
        "statement": statement, "client": statement.client, "content_hash": statement.content_hash,
        "made_at": statement.made_at,
    }  # fmt: skip
    pdf = letter(
        "wallet/pdf/statement.html", context, brand=statement.client.brand, language=language, zone=statement.zone
    )
    progress(2, 2, "")
    return pdf


def order_statement(*, client: Client, first: dt.date, last: dt.date, actor: Any, language: str = "") -> Job:
    """Start the job that makes a statement; its result is downloaded from the job's page.

    Who: the client, or staff who reach them and may act for them. The period is checked now, in words.
    """
    require(can_request_withdrawal(actor, client))
    gather(client, first, last)
    if not is_own(actor, client):
        access_log.note(
            user=actor, kind=AccessKind.EXPORT, client_id=client.pk, brand_id=client.brand_id,
            target=f"wallet.statement:{first}:{last}",
        )  # fmt: skip
    return start_job(
        "wallet.statement",
        owner=actor,
        title=_("Statement %(first)s to %(last)s") % {"first": first, "last": last},
        parameters={
            "client_id": client.pk,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "language": language or client.language,
        },
    )

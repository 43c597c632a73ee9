"""Balances of another system's clients: checked row by row, written down as lines, and posted only when somebody else approves."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.import_kinds.subjects import CLIENT_FIELD, find_clients, settle_client
from crm.db.bulk import copy_models, copy_rows
from crm.errors import DomainError, NotAllowed, Refusal, outcome_of
from crm.imports import OPEN_ROWS, Field, RecordKind, Span, Staged, import_kind
from crm.imports.fields import Formats, read_date, read_number
from crm.models import ImportRow
from crm.money.amounts import EXPONENTS
from crm.staff.brands import CURRENCIES
from wallet.choices.month_end import PeriodState
from wallet.core.amounts import minor_of
from wallet.models import OpeningPart, Period
from wallet.opening_balances.approval import propose

DAYS_MAX = 731  # an older day is a slip, which would open years of months to close
WALLETS = {"wallet", "main", "cash"}
# Which of two amounts is right, nobody here can tell: neither is taken.
TWICE = f"""
UPDATE crm_importrow r SET verdict = 'refused', errors = r.errors || jsonb_build_array(jsonb_build_object(
  'column', 'client', 'message', format(%(message)s::text, m.other_line))) FROM (
  SELECT r.id, CASE WHEN r.line = min(r.line) OVER same THEN nth_value(r.line, 2) OVER same ELSE min(r.line) OVER same END
    AS other_line
  FROM crm_importrow r WHERE {OPEN_ROWS}
  WINDOW same AS (PARTITION BY r.subject_id, r.values ->> 'currency' ORDER BY r.line
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
) m WHERE m.id = r.id AND m.other_line IS NOT NULL
"""  # noqa: S608 - a constant
LEAD = "EXISTS (SELECT 1 FROM clients_client c WHERE c.id = r.subject_id AND c.stage = 'lead')"
MOVED = """EXISTS (SELECT 1 FROM wallet_account a JOIN wallet_balance b ON b.account_id = a.id AND b.version > 0
  WHERE a.client_id = r.subject_id AND a.kind = 'client_wallet' AND a.currency = r.values ->> 'currency')"""
ELSEWHERE = """EXISTS (SELECT 1 FROM wallet_openingline l
  LEFT JOIN wallet_openingbalances o ON o.data_import_id = l.data_import_id AND o.state IN ('pending', 'approved')
  WHERE l.client_id = r.subject_id AND l.currency = r.values ->> 'currency'
    AND (o.id IS NOT NULL OR l.data_import_id = r.batch_id))"""


def read_currency(value: str, formats: Formats) -> str:
    """Read a currency by its code. Raises DomainError."""
    code = value.upper()
    if code not in CURRENCIES and code not in EXPONENTS:
        raise DomainError(_("“%(value)s” isn't a currency code, e.g. EUR") % {"value": value[:40]})
    return code


def read_wallet(value: str, formats: Formats) -> str:
    """Read the kind of account: only wallets have an opening balance. Raises DomainError."""
    if value.lower() not in WALLETS:
        raise DomainError(
            _(
                "“%(value)s” isn't a wallet. Trading accounts are read from their platform, credit is granted as a bonus. "
                "Translate it to wallet if it is one."
            )
            % {"value": value[:40]}
        )
    return "wallet"


@import_kind
class BalanceKind(RecordKind):
    """What clients who are here already have in their wallets, one row for each client and currency."""

    code: ClassVar[str] = "balances"
    label = gettext_lazy("Balances")
    effect = gettext_lazy("Nothing is posted yet. A second person approves the balances first.")
    order = 50
    fields = (
        CLIENT_FIELD,
        Field(
            "currency",
            gettext_lazy("Currency"),
            read_currency,
            "ccy curr currencycode walletcurrency accountcurrency waehrung währung",
            is_required=True,
        ),
        Field(
            "amount",
            gettext_lazy("Balance"),
            read_number,
            "balance walletbalance accountbalance availablebalance cashbalance saldo guthaben betrag",
            is_required=True,
        ),
        Field(
            "as_of",
            gettext_lazy("As of"),
            read_date,
            "date balancedate valuedate day stichtag datum",
            is_required=True,
            is_date=True,
            help=gettext_lazy("Business day of the opening journal"),
        ),
        Field(
            "account",
            gettext_lazy("Kind of account"),
            read_wallet,
            "accounttype wallettype kontoart",
            help=gettext_lazy("Only where the file has more than wallets: those rows are refused"),
        ),
    )

    @cached_property
    def today(self) -> str:
        return timezone.now().date().isoformat()

    @cached_property
    def earliest(self) -> str:
        return (timezone.now().date() - dt.timedelta(days=DAYS_MAX)).isoformat()

    @cached_property
    def closed_through(self) -> str:
        """The last day of the books that is closed; "" where none is."""
        rows = Period.objects.filter(brand_id=self.batch.brand_id).exclude(state=PeriodState.OPEN)
        day = rows.aggregate(last=Max("last_day"))["last"]
        return day.isoformat() if day else ""

    def check_row(self, row: Staged) -> None:
        settle_client(row)
        currency, as_of = row.values["currency"], row.values["as_of"]
        if not self.batch.brand.offers_currency(currency):
            row.refuse(
                "currency",
                _("%(brand)s has no wallets in %(currency)s") % {"brand": self.batch.brand, "currency": currency},
            )
        amount = Decimal(row.values["amount"])
        if amount < 0:
            row.refuse("amount", _("A wallet's balance can't be below zero"))
        elif not amount:
            row.refuse("amount", _("The balance is zero: there is nothing to post"))
        else:
            minor = outcome_of(lambda: minor_of(amount, currency))
            if isinstance(minor, Refusal):
                row.refuse("amount", minor.message)
            else:
                row.values["minor"] = minor.result
        if as_of < self.earliest:
            row.refuse("as_of", _("The date is more than two years ago. Use the day on which you move"))
        elif as_of > self.today:
            row.refuse("as_of", _("The date is in the future"))
        elif as_of <= self.closed_through:
            row.refuse("as_of", _("The books are closed up to %(day)s") % {"day": self.closed_through})

    def key_of(self, values: Mapping[str, Any]) -> str:
        """Name nothing: a balance is no record of its own, and one that was rejected may come again."""
        return ""

    def judge(self, span: Span) -> None:
        find_clients(span)
        span.refuse(LEAD, "client", _("This is a lead. Only registered clients have a wallet."))
        span.run(TWICE, message=_("The file has another balance of this client in this currency, in line %s"))
        span.refuse(
            MOVED,
            "client",
            _("The client already has movements in this currency. Post the difference as a manual journal."),
        )
        span.refuse(
            ELSEWHERE, "client", _("Another import already has an opening balance for this client in this currency.")
        )

    def apply(self, rows: list[ImportRow]) -> dict[int, int]:
        """Write the batch's lines down, a part for each currency and day. Nothing is posted."""
        if self.batch.owner_id is None:
            raise NotAllowed(
                _("Balances need a person who answers for them. Import them in the name of a member of staff.")
            )
        groups: dict[tuple[str, str], list[ImportRow]] = defaultdict(list)
        for row in rows:
            groups[row.values["currency"], row.values["as_of"]].append(row)
        known = OpeningPart.objects.filter(data_import=self.batch).count()
        parts = [
            OpeningPart(
                data_import_id=self.batch.pk,
                number=number,
                currency=currency,
                business_on=as_of,
                line_count=len(group),
                total_minor=sum(row.values["minor"] for row in group),
            )
            for number, ((currency, as_of), group) in enumerate(sorted(groups.items()), start=known + 1)
        ]
        copy_models(parts)
        copy_rows(
            "wallet_openingline",
            "data_import_id part_id line client_id currency amount_minor".split(),
            (
                (self.batch.pk, part.pk, row.line, row.subject_id, part.currency, row.values["minor"])
                for part in parts
                for row in groups[part.currency, part.business_on]  # type: ignore[index]  # an ISO date until it is read
            ),
        )
        return {}

    def finish(self) -> str:
        """Ask for the second approval, once, in the transaction that ends the import."""
        opening = propose(self.batch)
        return opening.get_absolute_url() if opening else ""

"""The demo's books: months that are over are closed, but the first brand's last one waits to be signed by two; and one
journal by hand waits for a second person."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from crm import approvals
from crm.choices import Role
from crm.demo import Demo
from crm.models import Brand, User
from crm.money.amounts import to_minor
from wallet.choices.ledger import AccountKind
from wallet.choices.month_end import PeriodState
from wallet.closing import periods
from wallet.closing.cash import cash_of
from wallet.closing.policies import can_close_period
from wallet.closing.sign_offs import sign_month
from wallet.ledger import posting
from wallet.ledger.manual_journals import JournalDraft, write_journal
from wallet.ledger.posting import Line
from wallet.models import ManualJournal, Period

BANK_FEE_MINOR = 4_850
BUFFER_MINOR = 250_000
CLOSING_NOTE = "Looked at one by one; open items are followed up in the next month."


def write_books(demo: Demo) -> None:
    """For every brand whose finance can see it: close what is over but what visitors are to sign, make client money whole,
    leave a bank fee waiting."""
    people = demo.by_role.get(Role.FINANCE.value, [])
    with connection.cursor() as cursor:
        # A year's rows came at once: without statistics each month's carry-forward is looked for posting by posting.
        cursor.execute(
            "SELECT keelson_analyze(t) FROM unnest(ARRAY['wallet_account','wallet_journal','wallet_posting']) t"
        )
    for brand in demo.brands:
        able = [person for person in people if can_close_period(person, brand.pk)]
        if len(able) < 2:
            continue
        periods.open_months(brand.pk)
        today = demo.now.astimezone(dt.UTC).date()
        over = Period.objects.filter(brand=brand, last_day__lt=today, state=PeriodState.OPEN).order_by("first_day")
        for period in list(over)[:-1] if brand == demo.brands[0] else over:
            for person in able[:2]:
                sign_month(period_id=period.pk, actor=person, note=CLOSING_NOTE)
            periods.close_period(period_id=period.pk, actor=able[0], note=CLOSING_NOTE)
        _top_up(brand, able[0], able[1], today)
        _bank_fee(brand, able[0], today)


def _top_up(brand: Brand, writer: User, poster: User, today: dt.date) -> None:
    """What PSPs kept as fees the house pays in, so that client money is whole again."""
    for one in cash_of(brand):
        if one.difference >= 0:
            continue
        minor = to_minor(-one.difference, one.currency) + BUFFER_MINOR
        bank = posting.house(AccountKind.CLIENT_MONEY_BANK, brand_id=brand.pk, currency=one.currency)
        own = posting.house(AccountKind.HOUSE_BANK, brand_id=brand.pk, currency=one.currency)
        manual = write_journal(
            brand_id=brand.pk,
            draft=JournalDraft(
                lines=[Line(bank, -minor), Line(own, minor)],
                business_on=today,
                reason="The house pays in what PSPs kept as fees",
            ),
            request_key=f"demo:{brand.code}:{one.currency}:top-up",
            actor=writer,
        )
        approvals.approve(ManualJournal, manual.pk, actor=poster, note="Seen on both statements")


def _bank_fee(brand: Brand, writer: User, today: dt.date) -> None:
    """Waits for the other one of finance."""
    fees = posting.house(AccountKind.FEES, brand_id=brand.pk, currency=brand.base_currency)
    own = posting.house(AccountKind.HOUSE_BANK, brand_id=brand.pk, currency=brand.base_currency)
    write_journal(
        brand_id=brand.pk,
        draft=JournalDraft(
            lines=[Line(fees, -BANK_FEE_MINOR), Line(own, BANK_FEE_MINOR)],
            business_on=today,
            reason="Account fee of the bank, statement 11",
        ),
        request_key=f"demo:{brand.code}:bank-fee",
        actor=writer,
    )

"""The demo's books: months that are over are closed, and one journal by hand waits for a second person."""

from __future__ import annotations

import datetime as dt

from crm.choices import Role
from crm.demo import Demo
from crm.models import Brand, User
from wallet import ledger, periods
from wallet.choices import AccountKind, PeriodState
from wallet.ledger import Line
from wallet.manual_journals import post_journal, write_journal
from wallet.models import Period
from wallet.policies import can_close_period

BANK_FEE_MINOR = 4_850
CLOSING_NOTE = "Looked at one by one; open items are followed up in the next month."


def write_books(demo: Demo) -> None:
    """For every brand whose finance can see it: close what is over, post one bank fee, leave another one waiting."""
    people = demo.by_role.get(Role.FINANCE.value, [])
    for brand in demo.brands:
        able = [person for person in people if can_close_period(person, brand.pk)]
        if len(able) < 2:
            continue
        periods.open_months(brand.pk)
        today = demo.now.astimezone(dt.UTC).date()
        over = Period.objects.filter(brand=brand, last_day__lt=today, state=PeriodState.OPEN).order_by("first_day")
        for period in over:
            periods.close_period(period_id=period.pk, actor=able[0], note=CLOSING_NOTE)
        _bank_fees(brand, able[0], able[1], today)


def _bank_fees(brand: Brand, writer: User, poster: User, today: dt.date) -> None:
    currency = brand.base_currency
    fees = ledger.house(AccountKind.FEES, brand_id=brand.pk, currency=currency)
    bank = ledger.house(AccountKind.HOUSE_BANK, brand_id=brand.pk, currency=currency)
    for number, words in enumerate(("Account fee of the bank, statement 10", "Account fee of the bank, statement 11")):
        minor = BANK_FEE_MINOR + number * 100
        manual = write_journal(
            brand_id=brand.pk, lines=[Line(fees, -minor), Line(bank, minor)], business_on=today, reason=words,
            request_key=f"demo:{brand.code}:bank-fee:{number}", actor=writer,
        )  # fmt: skip
        if number == 0:
            post_journal(manual_id=manual.pk, actor=poster, note="Seen on the statement")

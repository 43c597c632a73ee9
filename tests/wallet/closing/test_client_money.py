"""Client money per day: what is owed against what the segregated bank holds, kept as it was, told when it is short."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent, DayMark, Notification, OutboxEvent
from tests.brand_policies import set_policies
from tests.days import today, yesterday
from tests.trading.factories import make_account, make_server
from tests.wallet.factories import fund, house, make_psp
from trading.models import EquityPoint, TradingAccount
from wallet.bank.positions import bank_positions
from wallet.bank.statements import import_statement
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.month_end import Cover
from wallet.closing import client_money
from wallet.closing.client_money import figures_of, keep_day, run_due
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import ClientMoneyDay

pytestmark = pytest.mark.django_db
IBAN = "DE89370400440532013000"


def post(cast, key: str, *lines: Line, at: dt.datetime | None = None) -> None:
    with transaction.atomic():
        entry = Entry(key=key, kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines)
        posting.post_many([entry], posted_at=[at] if at else None)


def before(hours: int = 30) -> dt.datetime:
    return dt.datetime.combine(today(), dt.time(), tzinfo=dt.UTC) - dt.timedelta(hours=hours)


def euros(cast, day=None) -> client_money.Figures:
    return next(one for one in figures_of(cast.brand, day or yesterday()) if one.currency == "EUR")


@pytest.fixture
def held(cast):
    """1,000 of Clara's and 250 of Óscar's: 900 at the bank, 350 at a PSP."""
    psp = make_psp(cast.brand)
    bank, clearing = house(cast.brand, AccountKind.CLIENT_MONEY_BANK), posting.psp_clearing(psp, "EUR")
    for number, (client, minor) in enumerate([(cast.client, 100_000), (cast.other_client, 25_000)]):
        wallet = posting.wallet_of(client, "EUR")
        post(cast, f"in{number}", Line(clearing, -minor), Line(wallet, minor), at=before(40 - number))
    post(cast, "to bank", Line(clearing, 90_000), Line(bank, -90_000), at=before(30))
    return psp


def test_what_is_owed_and_what_is_held_at_the_end_of_a_day(cast, held):
    one = euros(cast)
    assert (one.wallets, one.trading, one.debit, one.unallocated, one.requirement) == (125_000, 0, 0, 0, 125_000)
    assert (one.bank_counted, one.transit, one.resource, one.cover) == (90_000, 35_000, 125_000, Cover.TRANSIT)
    assert (one.clients, one.has_statement) == (2, False)
    fund(cast.client, 700)  # today: not of yesterday
    assert euros(cast).requirement == 125_000
    assert figures_of(cast.brand, yesterday() - dt.timedelta(days=3)) == []


def test_a_brand_that_does_not_count_money_in_transit_is_short(cast, held):
    set_policies(cast.brand, client_money_in_transit=False)
    assert (euros(cast).resource, euros(cast).cover) == (90_000, Cover.SHORT)


def test_equity_on_platforms_is_owed_and_nobody_pays_for_a_client_below_zero(cast, held):
    server = make_server()
    opened = timezone.now() - dt.timedelta(days=9)
    first = make_account(cast.client, server, opened_at=opened)
    second = make_account(cast.other_client, server, opened_at=opened)
    demo = make_account(cast.client, server, opened_at=opened, is_demo=True)
    gone = make_account(cast.client, server, opened_at=opened)
    for account, equity in ((first, "80.001"), (second, "-400"), (demo, "10000")):
        EquityPoint.objects.create(account=account, at=before(2), balance=0, equity=Decimal(equity))
    EquityPoint.objects.create(account=gone, at=before(80), balance=5, equity=Decimal(5))
    TradingAccount.objects.filter(pk=gone.pk).update(synced_at=timezone.now())
    TradingAccount.objects.filter(pk=first.pk).update(credit=Decimal(10))
    one = euros(cast)
    # 80.001 less the house's credit, in favour of the client; Óscar: 250 in the wallet, 400 below zero on the platform.
    assert (one.trading, one.debit) == (7_001 - 40_000, 15_000)
    assert one.requirement == 100_000 + 7_001
    set_policies(cast.brand, client_money_on_platforms=False)
    assert euros(cast).requirement == 125_000


def test_money_that_is_nobody_s_yet_is_owed_too(cast, held):
    post(cast, "found", Line(posting.psp_clearing(held, "EUR"), -2_000), Line(house(cast.brand), 2_000), at=before(20))
    assert (euros(cast).unallocated, euros(cast).requirement, euros(cast).transit) == (2_000, 127_000, 37_000)


def statement(cast, psp, closing: str, *entries: tuple[str, str], name: str = "s.sta") -> None:
    """An MT940 of yesterday: entries are amount and text; the opening follows."""
    day = yesterday().strftime("%y%m%d")
    total = sum((Decimal(amount) for amount, _text in entries), Decimal(0))
    opening = Decimal(closing) - total

    def mark(amount: Decimal) -> str:
        return f"{'C' if amount >= 0 else 'D'}{day}EUR{abs(amount):.2f}".replace(".", ",")

    lines = [":20:X1", f":25:{IBAN}", ":28C:1/1", f":60F:{mark(opening)}"]
    for amount, text in entries:
        value = Decimal(amount)
        lines += [
            f":61:{day}{day[2:]}{'C' if value >= 0 else 'D'}{abs(value):.2f}N{'TRF'}NONREF".replace(".", ","),
            f":86:{text}",
        ]
    lines.append(f":62F:{mark(Decimal(closing))}")
    import_statement(psp_id=psp.pk, file_name=name, content="\r\n".join(lines).encode(), actor=None)


@pytest.fixture
def bank(cast):
    psp = make_psp(cast.brand, "bankwire", kind="bank", adapter="bank_wire")
    psp.seal_credentials({"iban": IBAN, "holder": "Meridian"})
    psp.save()
    return psp


def test_the_lower_of_books_and_statement_counts(cast, held, bank):
    statement(cast, bank, "880.00")
    one = euros(cast)
    assert (one.bank.books_minor, one.bank.statement_minor, one.bank_counted) == (90_000, 88_000, 88_000)
    assert one.cover == Cover.SHORT
    assert one.bank.difference_minor == -2_000
    statement(cast, bank, "2000.00", name="later.sta")
    assert euros(cast).bank_counted == 90_000


def test_a_payment_without_an_owner_is_at_the_bank_and_owed(cast, held, bank):
    statement(cast, bank, "975.00", ("75.00", "deposit of somebody"))
    position = bank_positions(cast.brand.pk, yesterday())["EUR"]
    assert (position.unknown_minor, position.unknown_count, position.books_minor, position.difference_minor) == (
        7_500,
        1,
        97_500,
        0,
    )
    one = euros(cast)
    assert (one.unallocated, one.requirement, one.resource) == (7_500, 132_500, 132_500)


def test_a_day_is_kept_once_and_computed_again_as_a_further_version(cast, held, bank):
    (row,) = keep_day(brand=cast.brand, day=yesterday())
    assert (row.version, row.cover, row.requirement, row.bank_short) == (1, Cover.TRANSIT, 1250, 350)
    assert keep_day(brand=cast.brand, day=yesterday()) == []
    statement(cast, bank, "880.00")
    assert run_due() == 1
    again = ClientMoneyDay.objects.get(version=2)
    assert (again.difference, again.made_by, again.statement_on) == (Decimal(-20), None, yesterday())
    assert again.reason
    assert run_due() == 0
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ClientMoneyDay.objects.update(requirement_minor=0)


def test_a_person_says_why_and_needs_the_right(cast, held):
    with pytest.raises(DomainError, match="isn't over yet"):
        keep_day(brand=cast.brand, day=today())
    with pytest.raises(DomainError, match="Enter a reason"):
        keep_day(brand=cast.brand, day=yesterday(), actor=cast.finance)
    with pytest.raises(NotAllowed):
        keep_day(brand=cast.brand, day=yesterday(), actor=cast.auditor, reason="x")
    (row,) = keep_day(brand=cast.brand, day=yesterday(), actor=cast.finance, reason="Asked by the auditor")
    assert (row.made_by, row.reason) == (cast.finance, "Asked by the auditor")
    assert AuditEvent.objects.get(action="wallet.client_money_computed_again").actor == cast.finance


def test_a_shortfall_is_told_once_with_what_to_do(cast, held, bank):
    statement(cast, bank, "880.00")
    run_due()
    run_due()
    told = Notification.objects.filter(kind="wallet.client_money_short")
    assert set(told.values_list("user", flat=True)) >= {cast.finance.pk, cast.second_finance.pk, cast.mlro.pk}
    assert told.filter(user=cast.finance).count() == 1
    assert ": €20.00" in told.first().title
    event = OutboxEvent.objects.get(name="wallet.client_money_short")
    assert Decimal(event.payload["missing"]) == 20


def test_beat_computes_each_day_from_the_first_on(cast, held):
    assert len(keep_day(brand=cast.brand, day=today() - dt.timedelta(days=2))) == 1
    assert run_due() == 1
    assert run_due() == 0
    assert [row.day for row in ClientMoneyDay.objects.order_by("day")] == [today() - dt.timedelta(days=2), yesterday()]


def test_thirty_days_away_are_all_computed_each_once(cast, caplog):
    """Ten days in one run, those that wait are named; a day that fails is tried again and keeps no other waiting."""
    first = today() - dt.timedelta(days=31)
    post(cast, "early", Line(house(cast.brand), -1), Line(posting.wallet_of(cast.client, "EUR"), 1), at=before(24 * 40))
    assert len(keep_day(brand=cast.brand, day=first)) == 1
    for _quarter_of_an_hour in range(4):
        run_due()
    days = list(
        ClientMoneyDay.objects.filter(brand=cast.brand, currency="EUR").order_by("day").values_list("day", "version")
    )
    assert days == [(day, 1) for day in days_from(first, yesterday())]
    assert f"{first + dt.timedelta(days=11)} to {yesterday()}" in caplog.text, "what waits is named"
    assert run_due() == 0


def test_a_day_that_fails_is_tried_again_and_keeps_no_other_waiting(cast, monkeypatch):
    real, bad = client_money.keep_day, today() - dt.timedelta(days=3)
    post(cast, "early", Line(house(cast.brand), -1), Line(posting.wallet_of(cast.client, "EUR"), 1), at=before(24 * 40))
    keep_day(brand=cast.brand, day=today() - dt.timedelta(days=5))

    def fails(*, brand, day):
        if day == bad:
            raise RuntimeError("no")
        return real(brand=brand, day=day)

    monkeypatch.setattr(client_money, "keep_day", fails)
    assert run_due() == 3
    monkeypatch.undo()
    assert run_due() == 1 == ClientMoneyDay.objects.filter(day=bad).count()
    mark = DayMark.objects.get(task=client_money.TASK, subject=cast.brand.code)
    assert mark.done_to == yesterday()


def days_from(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]


def test_the_number_of_queries_does_not_grow(cast, held, bank):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            figures_of(cast.brand, yesterday())
        return len(queries)

    few = count()
    for number in range(4):
        psp = make_psp(cast.brand, f"psp{number}")
        post(
            cast, f"m{number}", Line(posting.psp_clearing(psp, "EUR"), -10), Line(house(cast.brand), 10), at=before(10)
        )
    assert count() == few <= 8

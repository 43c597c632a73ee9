"""Month-end asks the same number of queries however many PSPs, banks, servers and currencies a brand has."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.rates import fx
from tests.days import last_month
from tests.trading.factories import make_server, make_type
from tests.wallet.closing.test_month_end import at, break_of, month, moved, pays_out, report  # noqa: F401 (a fixture)
from tests.wallet.conftest import load_rates
from tests.wallet.factories import house, make_adyen, make_psp, sign_month
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.month_end import RunState, SourceKind
from wallet.closing.missing_sources import missing_sources
from wallet.closing.month_end import month_end_of
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import BankFile, Psp, SettlementImport, SourceRun
from wallet.psp import adapter_of
from wallet.reconciliation.report_expectations import as_spans, lacking_days

pytestmark = pytest.mark.django_db
QUERIES_MAX = 30
OF_SIGNATURES = 4  # what was signed is read again where somebody has
CURRENCIES = ("USD", "GBP", "CHF", "JPY", "PLN")


def add_sources(cast, number: int) -> None:
    """A PSP with one report, one with a daily report too, a bank with a statement, a server with a run; money in a currency."""
    first = last_month()
    day = first + dt.timedelta(days=number)
    psp = make_psp(cast.brand, f"psp{number}")
    break_of(cast, psp, subject=f"row:{number}")
    report(psp, day, day)
    daily = make_adyen(
        cast.brand, "http://127.0.0.1:9", balance_account=f"BA{number}", transfer_key="k", transfer_webhook_secret="AB"
    )
    Psp.objects.filter(pk=daily.pk).update(code=f"daily{number}")
    pays_out(cast, daily, day, f"W-{number}")
    SettlementImport.objects.filter(pk=report(daily, first, first).pk).update(covers=["payout"])
    bank = make_psp(cast.brand, f"bank{number}", kind="bank", adapter="bank_wire")
    BankFile.objects.create(
        psp=bank,
        sha256=f"{number}".zfill(64),
        file_name="a.xml",
        format="camt.053",
        stored_name=f"s{number}",
        size_bytes=1,
        statements=[{"first": str(first), "last": str(day), "currency": "EUR", "closing": None}],
        imported_at=at(day),
    )
    server = make_server(name=f"Server {number}")
    make_type(cast.brand, server, name=f"Type {number}", is_default=False)
    SourceRun.objects.create(
        brand=cast.brand,
        source=SourceKind.PLATFORM,
        server=server,
        day=first,
        state=RunState.AGREES,
        runs=1,
        started_at=at(first),
        finished_at=at(first),
    )
    currency = CURRENCIES[number]
    accounts = [house(cast.brand, kind, currency) for kind in (AccountKind.FX_POSITION, AccountKind.SUSPENSE)]
    with transaction.atomic():
        entry = Entry(
            key=f"fx{number}",
            kind=JournalKind.ADJUSTMENT,
            brand_id=cast.brand.pk,
            business_on=day,
            lines=(Line(accounts[0], -500), Line(accounts[1], 500)),
        )
        posting.post(entry)


@pytest.mark.parametrize("is_signed", [False, True])
def test_month_end_asks_the_same_for_one_source_and_for_many(cast, month, browse, is_signed):
    load_rates()
    url = reverse("wallet:month_end", args=[cast.brand.code, str(month)])
    browser = browse(cast.finance)

    def count() -> int:
        if is_signed:
            sign_month(month, cast.finance, note="Known")
        browser.get(url)
        with CaptureQueriesContext(connection) as queries:
            page = browser.get(url)
        assert page.status_code == 200
        return len(queries)

    add_sources(cast, 0)
    moved(cast, Psp.objects.get(code="psp0"), last_month() + dt.timedelta(days=4))
    few, sources = count(), len(month_end_of(month).sources)
    for number in range(1, 5):
        add_sources(cast, number)
    assert len(month_end_of(month).sources) == sources + 4 * 4
    assert count() == few
    assert few <= QUERIES_MAX + OF_SIGNATURES * is_signed


def test_sources_asked_together_lack_the_same_days_as_one_by_one(cast, month):
    for number in range(3):
        add_sources(cast, number)
    first, last = month.first_day, month.last_day
    lacking = {(one.source.label, str(one.report)): one.periods for one in missing_sources(month)}
    for number in range(3):
        day = first + dt.timedelta(days=number)
        assert lacking.get((f"Bank{number}", "")) == ((day + dt.timedelta(days=1), last),)
        assert lacking[f"Server {number}", ""] == ((first + dt.timedelta(days=1), last),)
    for psp in Psp.objects.filter(adapter="adyen"):
        (daily,) = [kind for kind in adapter_of(psp).report_kinds() if kind.is_daily]
        assert (as_spans(lacking_days(psp, daily, first, last)) == []) == (psp.code == "daily0")


def test_rates_of_several_currencies_are_those_of_each(cast, month):
    load_rates()
    day = month.last_day
    rates = fx.rates_into("EUR", ["USD", "JPY", "USC", "EUR", "XXX"], on=day)
    assert rates.pop("XXX") is None
    assert rates == {currency: fx.rate(currency, "EUR", on=day) for currency in ("USD", "JPY", "USC", "EUR")}

"""What a client is quoted: a fresh mid rate less a markup, within limits, and never a gain by going forth and back."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.errors import DomainError
from crm.models import FxFeed, FxRate, Notification
from crm.money.amounts import from_minor
from crm.rates import fx
from tests.brand_policies import set_policies
from tests.sandbox.psp.running import running_psp
from tests.wallet.deposits.test_arrivals import captured, make_intent
from tests.wallet.factories import fund, make_psp
from tests.wallet.transfers.test_exchange import change, quote
from wallet.choices.deposits import DepositState, HoldReason
from wallet.deposits import settlement
from wallet.deposits.verbs import apply_payment
from wallet.ledger.fx_position import convert_minor
from wallet.models import Quote
from wallet.transfers import rate_watch

MONDAY = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)
FRIDAY = dt.date(2026, 11, 20)


def set_rate(currency: str, rate: str, on: dt.date, **more) -> None:
    FxRate.objects.update_or_create(on=on, currency=currency, defaults={"rate": Decimal(rate), **more})


@pytest.fixture
def monday(cast):
    """Monday morning; Friday's rates are the newest that the ECB has."""
    with time_machine.travel(MONDAY, tick=False):
        set_rate("USD", "1.10", FRIDAY)
        fund(cast.client, 100_000_000)
        yield cast


def allow(cast, **policies) -> None:
    set_policies(cast.brand, **policies)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "holds"),
    [
        ("2026-11-20 18:00", True),
        ("2026-11-22 12:00", True),
        ("2026-11-23 23:59", True),
        ("2026-11-24 00:01", False),
        ("2026-12-20 12:00", False),
        ("2026-11-19 12:00", False),
    ],
)
def test_a_rate_is_quoted_for_one_bank_day_and_over_the_weekend(cast, now, holds):
    """Rates of Friday the 20th: a market that moved since then is what somebody would wait for."""
    set_rate("USD", "1.10", FRIDAY)
    with time_machine.travel(dt.datetime.fromisoformat(f"{now}+00:00"), tick=False):
        if holds:
            assert quote(cast).rate_on == FRIDAY
        else:
            with pytest.raises(DomainError, match="no current exchange rate"):
                quote(cast)


@pytest.mark.django_db
def test_a_rate_of_three_weeks_ago_turns_nothing_into_more(cast):
    """The 30 October's rate on 23 November, there and back at the market's: EUR 100,000 became 104,761.90."""
    set_rate("USD", "1.10", dt.date(2026, 10, 30))
    with time_machine.travel(MONDAY, tick=False), pytest.raises(DomainError, match="no current exchange rate"):
        quote(cast, "1000")
    with pytest.raises(DomainError, match="from 0 to 5"):
        allow(cast, fx_rate_bank_days_max=400)
    allow(cast, fx_rate_bank_days_max=5)  # no policy goes beyond a bank week
    with time_machine.travel(MONDAY, tick=False), pytest.raises(DomainError, match="no current exchange rate"):
        quote(cast, "1000")
    assert not Quote.objects.exists()


@pytest.mark.django_db
def test_the_markup_is_half_a_percent_and_never_nothing(monday):
    assert (quote(monday).rate, quote(monday).markup_basis_points) == (Decimal("1.0945"), 50)
    with pytest.raises(DomainError, match=r"from 0\.01 % to 10 %"):
        allow(monday, fx_markup_basis_points=0)
    allow(monday, fx_markup_basis_points=1)
    promised = quote(monday)
    assert (promised.rate, promised.markup_basis_points) == (Decimal("1.09989"), 1)
    with pytest.raises(IntegrityError, match="quote_between_two_monies_has_a_markup"), transaction.atomic():
        Quote.objects.filter(pk=promised.pk).update(markup_basis_points=0)


@pytest.mark.django_db
def test_an_exchange_and_a_day_have_their_limits(monday):
    with pytest.raises(DomainError, match=r"up to €50,000\.00 at a time"):
        quote(monday, "50000.01")
    first, second = quote(monday, "50000"), quote(monday, "50000")
    third = quote(monday, "0.02")
    change(monday, first, key="k1")
    change(monday, second, key="k2")
    with pytest.raises(DomainError, match=r"up to €100,000\.00 within 24 hours\. You have €0\.00 left"):
        change(monday, third, key="k3")
    with time_machine.travel(MONDAY + dt.timedelta(hours=24, seconds=1), tick=False):
        set_rate("USD", "1.10", MONDAY.date())
        change(monday, quote(monday, "50000"), key="k4")


@pytest.mark.django_db
def test_no_rate_is_older_than_one_promised_before(monday):
    """Whoever takes today's rates away, by mistake or not, opens no door to yesterday's."""
    set_rate("USD", "1.20", MONDAY.date())
    newest = quote(monday)
    assert newest.rate_on == MONDAY.date()
    FxRate.objects.filter(on=MONDAY.date()).delete()
    for given_currency, got in (("EUR", "USD"), ("USD", "EUR")):
        with pytest.raises(DomainError, match="no current exchange rate"):
            quote(monday, "100", given_currency, got)
    copy = {field.attname: getattr(newest, field.attname) for field in Quote._meta.fields if field.attname != "id"}
    for on in (FRIDAY, dt.date(2026, 10, 30), dt.date(2026, 11, 24)):
        with pytest.raises(IntegrityError, match="quoted_rate_is"), transaction.atomic():
            Quote.objects.create(**{**copy, "rate_on": on})


@pytest.mark.django_db
def test_a_stablecoin_has_a_price_of_its_own_or_none(monday):
    with pytest.raises(fx.NoRate):
        fx.rate("USDT", "EUR", on=MONDAY.date())
    with pytest.raises(DomainError, match="no current exchange rate"):
        quote(monday, "100", "EUR", "USDT")
    set_rate("USDT", "1.13", MONDAY.date(), loaded_at=MONDAY)
    assert quote(monday, "100", "EUR", "USDT").rate == Decimal("1.13") * Decimal("0.995")
    FxRate.objects.filter(currency="USDT").update(loaded_at=MONDAY - dt.timedelta(minutes=31))
    with pytest.raises(DomainError, match="no current exchange rate"):
        quote(monday, "100", "EUR", "USDT")


@pytest.mark.django_db
def test_a_deposit_is_not_converted_at_a_stale_rate(cast):
    set_rate("CHF", "1.10", dt.date(2026, 10, 30))
    allow(cast, deposit_converts_other_currency=True)
    psp = make_psp(cast.brand, "rhinebank", kind="bank")
    deposit = make_intent(cast.client, psp)
    with time_machine.travel(MONDAY, tick=False):
        apply_payment(psp_id=psp.pk, view=captured(deposit, 20_000, "CHF"))
    deposit.refresh_from_db()
    assert (deposit.state, deposit.hold_reasons) == (DepositState.HELD, [HoldReason.RATE])
    assert settlement.in_base(cast.brand, Decimal(110), "CHF", on=MONDAY.date()) == 100, "limits and reports go on"


mids = st.builds(lambda digits, places: Decimal(digits).scaleb(-places), st.integers(1, 10**9), st.integers(0, 7))
currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD", "BTC", "USDT"])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a loaded host is no fault of the rates
@given(mid=mids, minor=st.integers(1, 10**13), one=currencies, other=currencies, points=st.integers(1, 500))
def test_going_forth_and_back_never_gains(mid, minor, one, other, points):
    """At any mid rate, any amount, and the smallest markup; also when each way is rounded."""
    today = dt.date(2026, 11, 23)
    there = convert_minor(minor, fx.Rate(one, other, mid, today), markup_basis_points=points)
    back = convert_minor(there.got_minor, fx.Rate(other, one, 1 / mid, today), markup_basis_points=points)
    assert back.got_minor <= minor
    assert from_minor(there.got_minor, other) <= from_minor(minor, one) * mid, "never more than the mid"


# ── feeds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_rates_come_from_the_sandbox_over_a_socket(cast, settings, tmp_path):
    with running_psp(tmp_path / "psp.sqlite", "") as running:
        settings.SANDBOX_PSP_URL, settings.FX_FEEDS = running.url, ["sandbox:"]
        assert rate_watch.refresh() > 1_000
        assert rate_watch.refresh() == 5, "the prices of coins, again"
    feed = FxFeed.objects.get(name="Sandbox")
    assert feed.error == "" and not rate_watch.is_stale(feed)
    fund(cast.client, 100_000)
    change(cast, quote(cast))
    change(cast, quote(cast, "1", "EUR", "USDT"), key="k2")
    rate_watch.refresh()  # nobody listens there any more
    feed.refresh_from_db()
    assert feed.error and feed.latest_on, "what it gave stays"


@pytest.mark.django_db
def test_finance_is_notified_once_a_day_of_a_stale_feed(cast, settings, tmp_path, browse):
    file = tmp_path / "rates.xml"
    file.write_text('<E><Cube><Cube time="2026-11-20"><Cube currency="USD" rate="1.1"/></Cube></Cube></E>')
    settings.FX_FEEDS = [str(file)]
    with time_machine.travel(MONDAY, tick=False):
        assert rate_watch.refresh() == 1
        assert not Notification.objects.filter(kind="wallet.rates_stale").exists()
    with time_machine.travel(MONDAY + dt.timedelta(hours=8), tick=False):  # Monday's are out by now
        for _again in range(3):
            rate_watch.refresh()
        told = set(Notification.objects.filter(kind="wallet.rates_stale").values_list("user__email", flat=True))
        assert cast.finance.email in told and cast.agent.email not in told
        assert Notification.objects.filter(kind="wallet.rates_stale", user=cast.finance).count() == 1
        page = browse(cast.finance).get(reverse("wallet:rates")).content.decode()
        assert "Stale" in page and "rates.xml" in page and "1.100000" in page
        assert "Stale rate feeds" in browse(cast.finance).get("/").content.decode() or rate_watch.stale_feeds()


@pytest.mark.django_db
def test_the_page_of_rates_asks_a_bounded_number_of_queries(cast, browse, django_assert_max_num_queries):
    for number in range(40):
        set_rate(f"X{chr(65 + number % 26)}{chr(65 + number // 26)}", "2", timezone.now().date())
    browser = browse(cast.finance)
    browser.get("/profile/")
    with django_assert_max_num_queries(14):
        assert browser.get(reverse("wallet:rates")).status_code == 200

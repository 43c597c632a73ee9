import datetime as dt
from decimal import Decimal

import pytest

from crm.models import FxRate
from crm.rates import fx

pytestmark = pytest.mark.django_db


def test_a_cross_rate_goes_through_the_euro_and_names_its_day():
    day = dt.date(2025, 3, 14)
    FxRate.objects.create(on=day, currency="USD", rate=Decimal("1.0889"))
    FxRate.objects.create(on=day, currency="JPY", rate=Decimal("161.95"))
    rate = fx.rate("USD", "JPY", on=day)
    assert rate.on == day
    assert rate.convert(Decimal("100.00")) == Decimal("14873")


def test_a_weekend_uses_the_last_day_published():
    FxRate.objects.create(on=dt.date(2025, 3, 14), currency="USD", rate=Decimal("1.0889"))
    assert fx.rate("EUR", "USD", on=dt.date(2025, 3, 16)).on == dt.date(2025, 3, 14)


def test_a_cent_currency_is_a_hundredth_of_its_own():
    day = dt.date(2025, 3, 14)
    FxRate.objects.create(on=day, currency="USD", rate=Decimal("1.08"))
    assert fx.convert(Decimal("12345"), "USC", "USD", on=day) == Decimal("123.45")
    assert fx.convert(Decimal("108"), "USC", "EUR", on=day) == Decimal("1.00")


def test_a_currency_without_a_rate_says_what_to_do():
    with pytest.raises(fx.NoRate, match="load_fx"):
        fx.rate("EUR", "GBP", on=dt.date(2025, 3, 14))


def test_the_bundled_file_loads_once():
    assert fx.load_bundled_rates(since=dt.date(2025, 1, 1)) > 1000
    rows = FxRate.objects.count()
    fx.load_bundled_rates(since=dt.date(2025, 1, 1))
    assert FxRate.objects.count() == rows
    assert FxRate.objects.filter(currency="USD").exists()

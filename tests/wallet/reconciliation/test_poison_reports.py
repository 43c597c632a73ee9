"""A report that would break pages, queries or the import itself is refused in words; the database refuses its days, too."""

import datetime as dt
import io

import pytest
from django.db import IntegrityError, transaction

from tests.wallet.factories import make_psp
from tests.wallet.psp.test_settlement_readers import PLAIN
from tests.wallet.reports import read_all
from wallet.models import SettlementRow
from wallet.psp.settlement import BadFile, exact_minor, exact_rate, moment
from wallet.psp.settlement_csv import PlainReader
from wallet.reconciliation.settlement_import import import_report


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+14:00",
        "0001-01-01",
        "9999-12-31T23:59:59-14:00",
        "1999-12-31",
        "2101-01-01",
        "2026-13-01",
        "",
        "²",
        "9" * 5_000,
    ],
)
def test_a_day_that_can_t_be_is_refused(text):
    with pytest.raises(BadFile, match="Line 3, column “value_at”"):
        moment(3, "value_at", text)


@pytest.mark.parametrize(
    "text", ["0.0000000000001", "1e-13", "0", "-1", "9" * 11, "0." + "0" * 5_000 + "1", "9" * 5_000]
)
def test_a_rate_that_the_database_could_not_keep_is_refused(text):
    with pytest.raises(BadFile, match="is not an exchange rate"):
        exact_rate(3, "rate", text)


@pytest.mark.parametrize(
    "text",
    [
        "1.0000000000000000000000000000000000001",
        "0." + "0" * 30 + "1",
        "1" * 29,
        "1" * 5_000,
        "12345678901234567890.12",
    ],
)
def test_an_amount_is_never_rounded(text):
    with pytest.raises(BadFile, match="Line 3, column “gross”"):
        exact_minor(3, "gross", text, "EUR")


CHANGES = {
    "year 1": ("2026-10-07,e-1", "0001-01-01T00:00:00+14:00,e-1"),
    "year 9999": ("2026-10-07,e-1", "9999-12-31T23:59:59-14:00,e-1"),
    "closing in year 1": ("2026-10-31", "0001-01-01"),
    "booked in year 1": ("2026-10-05T10:00:00+02:00", "0001-01-01T00:00:00+14:00"),
    "lone return": ("pay_1", '"pay\r1"'),
    "bare return": ("pay_1", "pay\r1"),
    "tiny rate": ("1.1534", "0.0000000000001"),
    "bell": ("pay_1", "pay\a1"),
    "endless digits": ("115.34", "1" * 5_000),
    "impossibly large": ("0.00,,,,,,,\nrow", "99999999999999999999.00,,,,,,,\nrow"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_poisoned_report_is_refused_in_words(name):
    text = PLAIN.replace(*CHANGES[name])
    assert text != PLAIN
    with pytest.raises(BadFile) as refused:
        read_all(PlainReader(io.BytesIO(text.encode())))
    assert refused.value.message.startswith(("Line", "The"))
    assert len(refused.value.message.splitlines()) == 1


@pytest.mark.django_db
def test_the_database_keeps_no_day_that_a_page_could_not_show(cast):
    report = import_report(
        psp_id=make_psp(cast.brand).pk, file_name="p.csv", content=PLAIN.encode(), actor=cast.finance
    )
    row = report.rows.get(line=3)
    for name, at in (
        ("booked_at", dt.datetime(1, 1, 2, tzinfo=dt.UTC)),
        ("value_at", dt.datetime(9999, 12, 30, tzinfo=dt.UTC)),
    ):
        values = {field.attname: getattr(row, field.attname) for field in SettlementRow._meta.concrete_fields} | {
            "id": None,
            "line": 900,
            "entry_reference": "",
            name: at,
        }
        with pytest.raises(IntegrityError, match="row_times_are_of_this_century"), transaction.atomic():
            SettlementRow.objects.create(**values)

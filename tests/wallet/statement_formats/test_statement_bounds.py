"""Whatever stands in a statement, its reader answers in words, soon, and with little memory."""

import io
import tracemalloc

import pytest

from tests.wallet.statement_formats.test_statement_ends import CAMT, SVB
from tests.wallet.statement_formats.test_statement_formats import BAI2, ING, MT942, OFX1, OFX2
from wallet.statement_formats import BadStatement, read_file, read_statements
from wallet.statement_formats.cells import bare_amount, days_of, is_amount, number_of
from wallet.statement_formats.columns import meaning_of
from wallet.statement_formats.parsed import amount_of, count_of

LONG = 200_000


@pytest.mark.parametrize(
    "cell", ["1" * LONG, "- " * LONG, "1 " * LONG, "1." * LONG, "a" * LONG, "(" * LONG, "1-1-" * LONG]
)
def test_a_long_cell_is_no_amount_and_costs_nothing(cell):
    assert not is_amount(cell + "x")
    assert number_of(cell + "x", ".") is None
    assert bare_amount(cell + "x") == ("", "", "")
    assert meaning_of(cell) == ("", 0, "")
    days_of(cell)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,00,00", None),
        ("1.23,45", None),
        ("1,2,3.4", None),
        ("9" * 29, None),
        ("0." + "0" * 30, None),
        ("²", None),
        ("9" * 5_000, None),
        ("1,234,567", "1234567"),
        ("12,34,567.5", "1234567.5"),
        ("1.234.567,8", "1234567.8"),
        ("-0,01", "-0.01"),
        ("+500,00", "500.00"),
        (".5", "0.5"),
        ("500,", "500"),
    ],
)
def test_an_amount_is_exact_or_none(text, amount):
    found = amount_of(text)
    assert (None if found is None else format(found, "f")) == amount


@pytest.mark.parametrize("text", ["²", "٣", "", "-1", "1" * 10, "1" * 5_000, "1.0"])
def test_a_count_is_a_count_or_none(text):
    assert count_of(text) is None


ABSURD = ["9" * 5_000, "²" * 6, "٣" * 6, "1e9999", "-" * 5_000, "000000", "99999999999999999999"]
PLACES = {
    "ofx1": (OFX1, ["-20.50", "20261031", "1479.50", "F1"]),
    "ofx2": (OFX2, ["-500", "20261030"]),
    "bai2": (BAI2, ["50000", "370000", "261030", ",5/", ",195,", "V,261031", "100000", ",1,,400"]),
    "mt940": (ING, ["1402200220", "1,56", "140220", "662,23", "00000"]),
    "mt942": (MT942, ["20,00", ":90D:1"]),
    "camt": (CAMT, ["5.00", "2026-10-30", "EUR"]),
    "svb": (SVB, ["17", "000", "25001"]),
}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("value", ABSURD)
def test_absurd_numbers_give_words(name, value):
    text, places = PLACES[name]
    for place in places:
        changed = text.replace(place, value).encode()
        try:
            list(read_file(io.BytesIO(changed))[1])
            read_statements(changed)
        except BadStatement as error:
            assert len(error.message.splitlines()) == 1
            assert len(error.message) < 500


class _Endless(io.RawIOBase):
    """A head, then one byte for megabytes, then a tail: no more of it is in memory than somebody reads."""

    def __init__(self, head: bytes, fill: bytes, count: int) -> None:
        self.parts = (head, fill, count)
        self.at, self.most = 0, len(head) + count

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = {0: 0, 1: self.at, 2: self.most}[whence] + offset
        return self.at

    def tell(self) -> int:
        return self.at

    def read(self, size: int = -1) -> bytes:
        head, fill, _count = self.parts
        size = self.most - self.at if size < 0 else min(size, self.most - self.at)
        piece = (head[self.at : self.at + size] + fill * size)[:size]
        self.at += size
        return piece


@pytest.mark.parametrize(
    ("head", "fill"),
    [
        (OFX1[: OFX1.index("-20.50")], b"9"),
        (OFX1[: OFX1.index("rent")], b"x"),
        (OFX1[: OFX1.index("rent")] + "<![CDATA[", b"x"),
        (BAI2[: BAI2.index("50000")], b"9"),
        (BAI2[: BAI2.index("WIRE")], b"x"),
        (ING[: ING.index("1,56")], b"9"),
        (ING, b"9"),
        (CAMT[: CAMT.index("5.00")], b"9"),
        ("date;amount;currency\n2026-10-01;", b"9"),
        ('date;amount;currency\n2026-10-01;"', b"\n"),
    ],
)
def test_a_field_of_200_mb_is_refused_with_little_memory(head, fill):
    tracemalloc.start()
    try:
        with pytest.raises(BadStatement) as refused:
            for one in read_file(_Endless(head.encode(), fill, 200 * 2**20))[1]:  # type: ignore[arg-type]
                assert one.troubles
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(refused.value.message.splitlines()) == 1
    assert most < 64 * 2**20, most

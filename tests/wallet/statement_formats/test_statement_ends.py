"""A file that was cut off is refused, or gives words: never fewer entries, or a shorter amount, in silence."""

import io

import pytest

from tests.wallet.statement_formats.test_statement_formats import BAI2, ING, MT942, OFX1, OFX2
from tests.wallet.statement_formats.test_statements_in import balance, document, entry, stmt
from wallet.statement_formats import BadStatement, read_file, read_statements
from wallet.statement_formats.parsed import Weight

CAMT = document(
    stmt(balance("OPBD", "0.00"), balance("CLBD", "5.00"), entry("5.00")),
    stmt(balance("PRCD", "5.00"), balance("CLBD", "2.00", "DBIT"), entry("7.00", "DBIT")),
).decode()
# In the dialect of Silicon Valley Bank, as in the public sample of venturehacks/bai2 (MIT): its records with other days and sums.
SVB = """01,121140399,9999999999,261031,1015,1,80,1,2/
02,9999999999,121140399,1,261030,1015,,2/
03,1234567890,USD,010,000,,,015,000,,/
88,040,000,,,045,000,,/
88,072,000,,,074,000,,/
88,100,25001,17,,400,000,0,/
16,174,25001,Z,,50848,/
88,SAMPLE CONTINUATION TEXT,/
49,50002,7/
98,50002,1,9/
99,50002,1,11/"""


def entries(text: str) -> list[tuple[str, int, str]]:
    _kind, statements = read_statements(text.encode(), "auto")
    return [(str(one.booked_on), one.minor, one.currency) for statement in statements for one in statement.entries]


@pytest.mark.parametrize(
    "text", [OFX1, OFX2, BAI2, ING, MT942, CAMT, SVB], ids=["ofx1", "ofx2", "bai2", "mt940", "mt942", "camt", "svb"]
)
def test_every_prefix_of_a_file_is_refused_or_whole(text):
    whole = entries(text)
    assert whole
    taken = []
    for length in range(1, len(text)):
        try:
            found = entries(text[:length])
        except BadStatement as error:
            assert str(error.message).strip()
            continue
        assert found == whole, f"the first {length} of {len(text)} characters are taken as {found}"
        taken.append(length)
    assert len(taken) < len(text) / 4, "only what stands behind the last entry and its proof may be missing"


@pytest.mark.parametrize(
    ("text", "gone", "words"),
    [
        (OFX1, "</OFX>", "</OFX> is missing"),
        (OFX1, "</BANKTRANLIST>", "</BANKTRANLIST> is missing"),
        (OFX2, "</CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1></OFX>", "</OFX> is missing"),
        (BAI2, "49,370000,5/\n", "record 49"),
        (BAI2, "98,370000,1,7/\n", "record 98"),
        (BAI2, "99,370000,1,9/\n", "record 99"),
        (MT942.replace(":90", ":NS"), "-}", "its end is missing"),
    ],
)
def test_an_end_mark_that_is_missing_is_named(text, gone, words):
    content = text.replace(gone, "").encode()
    assert words in " ".join(str(trouble) for one in read_file(io.BytesIO(content))[1] for trouble in one.troubles)
    with pytest.raises(BadStatement):
        read_statements(content)


def test_an_interim_closing_balance_needs_another_page():
    with pytest.raises(BadStatement, match="its last page is missing"):
        read_statements(ING.replace(":62F:", ":62M:").encode())


def test_a_comma_before_the_slash_ends_a_field_in_bai2():
    _kind, (one,) = read_statements(SVB.encode())
    assert [(found.minor, found.text) for found in one.entries] == [(25_001, "SAMPLE CONTINUATION TEXT")]


@pytest.mark.parametrize(
    "summary",
    [
        "010,100000,,,015,130000,,,100,50000,1,,400,20000,1,/",
        "010,100000,,/\n88,015,130000,,/\n88,100,50000,1,/\n88,400,20000,1,/",
        "010,100000,,,/\n88,015,130000,,,/\n88,100,50000,1,,/\n88,400,20000,1/",
        "010,100000/\n88,015,130000/\n88,100,50000,1/\n88,400,20000,1/",
        "010,100000/\n88,,,015,130000/\n88,,,100,50000,1/\n88,,400,20000,1/",
    ],
)
def test_continued_summaries_are_read_wherever_their_commas_end(summary):
    more = summary.count("\n")
    text = BAI2.replace("010,100000,,,015,130000,,,100,50000,1,,400,20000,1,/", summary)
    for count, line in ((5, "49,370000,"), (7, "98,370000,1,"), (9, "99,370000,1,")):
        text = text.replace(f"{line}{count}/", f"{line}{count + more}/")
    _kind, (one,) = read_statements(text.encode())
    assert (one.opening_minor, one.closing_minor, len(one.entries)) == (100_000, 130_000, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ING.replace("C1,56N", "C1,00,00N"), "is not a booking like"),
        (ING.replace("EUR662,23", "EUR6,62,23"), "is not a balance like"),
        (CAMT.replace(">5.00<", ">-5.00<", 1), "isn't explained|has a sign|An entry is missing"),
        (OFX1.replace("<FITID>F2", "<FITID>F1"), "FITID “F1” already belongs to another entry"),
        (ING.replace("1402200220C1", "1402300220C1"), ""),
        (ING.replace(":61:1402200220C1", ":61:0000000220C1"), "amount or date is missing"),
        (OFX1.replace("20261031<TRNAMT>", "00000000<TRNAMT>"), "date is missing"),
        (ING.replace("1402200220C1", "9902200220C1"), "is not a plausible booking date"),
        (CAMT.replace("2026-10-30", "0001-01-01"), "is not a plausible booking date"),
    ],
)
def test_what_no_bank_means_is_refused_or_told(text, words):
    """The thirtieth of February is the last day of it for some banks: that one is told, and taken."""
    _kind, found = read_file(io.BytesIO(text.encode()))
    assert any(one.troubles for one in found)
    if not words:
        assert entries(text)
        return
    with pytest.raises(BadStatement, match=words):
        entries(text)


def test_a_signed_amount_of_camt_is_named():
    text = document(stmt(balance("OPBD", "0.00"), balance("CLBD", "5.00"), entry("-5.00")))
    _kind, (one,) = read_file(io.BytesIO(text))[0], list(read_file(io.BytesIO(text))[1])
    assert "has a sign" in " ".join(str(trouble) for trouble in one.troubles if trouble.weight == Weight.PROOF)


TABLE = "date;text;amount;currency\n2026-10-01;a;100.50;EUR\n2026-10-02;b;200.75;EUR\n"


@pytest.mark.parametrize("text", [TABLE, TABLE.partition("2026-10-02")[0]])
def test_a_table_that_was_cut_off_within_a_row_is_refused(text):
    """At a row's end nothing tells: there the running balance, or the next statement's opening, is what a person looks at."""
    whole = entries(text)
    start = text.rstrip().rfind("\n") + 1
    for length in range(start + 1, len(text.rstrip())):
        try:
            found = entries(text[:length])
        except BadStatement:
            continue
        in_first_cell = ";" not in text[start:length]
        assert found == whole or (in_first_cell and found == whole[:-1]), text[start:length]

"""MT940 of many banks, MT942, BAI2, OFX and any table: what each says is told, and its money is proved."""

import io
import zipfile
from decimal import Decimal

import mt940
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.statement_formats import BadStatement, find_format, read_file, read_statements
from wallet.statement_formats.cells import days_of, number_of
from wallet.statement_formats.parsed import Parsed, Weight


def read(content: str | bytes, kind: str = "auto") -> tuple[str, list[Parsed]]:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    found, statements = read_file(file, kind)
    return found, list(statements)


def problems(one: Parsed) -> list[str]:
    return [str(trouble) for trouble in one.troubles if trouble.weight == Weight.PROOF]


# ── MT940 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

ING = """{1:F01INGBNL2ABXXX0000000000}{2:I940INGBNL2AXXXN}{4:
:20:P140220000000001
:25:NL69INGB0123456789EUR
:28C:00000
:60F:C140219EUR662,23
:61:1402200220C1,56NTRFEREF//00000000001005
/TRCD/00100/
:86:/EREF/EV12341REP1231456T1234//CNTP/NL32INGB0000012345/INGBNL2A/ING B
ANK N.V.//REMI/USTD//EV10001REP1000000T1000/
:61:1402200220D1,57NTRFPREF//00000000001006
:86:/PREF/M000000003333333//REMI/USTD//TOTAAL 1 VZ/
:62F:C140220EUR662,22
-}"""
ABN = """ABNANL2A
940
ABNANL2A
:20:ABN AMRO BANK NV
:25:517852257
:28:19322/1
:60F:C110523EUR2876,84
:61:1105240524D9,N192NONREF
:86:/TRTP/SEPA OVERBOEKING/IBAN/NL39RABO0300065264/BIC/RABONL2U/NAM
E/P SMITS EN ZN/REMI/FACTUUR 12/EREF/NOTPROVIDED
:61:1105230523RC1000,N426NONREF
:86:terugboeking
:62F:C110524EUR1867,84
-"""
RABO = """:940:
:20:940S130108
:25:NL71RABO0123456789 EUR
:28C:0
:60F:C130107EUR000000001000,00
:61:130108D000000000035,00N102EREF                 1000000000000001
NL15RABO0987654321
:86:/EREF/Z1//BENM//NAME/Mevr. Jansen/REMI/rent/ISDT/2013-01-08
:62F:C130108EUR000000000965,00
"""
POLISH = """:20:MT940\r:25:/PL12345678901234567890123456\r:28C:1\r:60F:D240102PLN10,00\r\
:61:2401030103DN5,00S073TEST//REF9\r:86:073~00VE02~20Tytul~21em~30109~38PL61109010140000071219812874~32JAN~33KOWALSKI\r:62F:D240103PLN15,00\r-\r"""


def test_ing_writes_account_bank_and_name_into_one_field():
    _kind, (one,) = read(ING)
    credit, debit = one.entries
    assert (one.account, one.currency, one.checks, problems(one)) == (
        "NL69INGB0123456789",
        "EUR",
        ["opening + entries = closing"],
        [],
    )
    assert (credit.party.name, credit.party.account, credit.party.bic) == (
        "ING BANK N.V.",
        "NL32INGB0000012345",
        "INGBNL2A",
    )
    assert (credit.end_to_end, credit.bank_reference) == ("EV12341REP1231456T1234", "00000000001005")
    assert (debit.amount, debit.references["batch"]) == (Decimal("-1.57"), "M000000003333333")
    assert "EV10001REP1000000T1000" in credit.text


def test_a_reversed_credit_went_out():
    _kind, (one,) = read(ABN)
    assert [entry.amount for entry in one.entries] == [Decimal("-9"), Decimal("-1000")]
    assert (one.entries[1].is_reversal, problems(one)) == (True, [])
    assert (one.entries[0].party.name, one.entries[0].text, one.entries[0].end_to_end) == (
        "P SMITS EN ZN",
        "FACTUUR 12",
        "",
    )


def test_rabobank_writes_an_account_behind_the_reference():
    _kind, (one,) = read(RABO)
    entry = one.entries[0]
    assert (one.account, one.currency, entry.amount, problems(one)) == (
        "NL71RABO0123456789",
        "EUR",
        Decimal("-35.00"),
        [],
    )
    assert (entry.party.name, entry.end_to_end, entry.references["customer"]) == ("Mevr. Jansen", "Z1", "EREF")


def test_other_marks_of_subfields_and_bare_carriage_returns():
    kind, (one,) = read(POLISH)
    entry = one.entries[0]
    assert (kind, one.currency, problems(one)) == ("mt940", "PLN", [])
    assert (entry.party.name, entry.party.account) == ("JAN KOWALSKI", "PL61109010140000071219812874")
    assert entry.text == "Tytul em"


def test_the_year_of_a_booking_day_is_the_one_next_to_its_value_day():
    text = RABO.replace(":61:130108D", ":61:1312310102D").replace("C130108EUR", "C140102EUR")
    _kind, (one,) = read(text)
    assert (str(one.entries[0].value_on), str(one.entries[0].booked_on)) == ("2013-12-31", "2014-01-02")


def test_the_thirtieth_of_february_is_its_last_day():
    _kind, (one,) = read(RABO.replace(":61:130108D", ":61:130230D"))
    assert str(one.entries[0].value_on) == "2013-02-28"


def test_pages_of_one_statement_are_proved_each():
    first = RABO.replace(":62F:C130108EUR000000000965,00", ":62M:C130108EUR965,00")
    second = RABO.replace(":60F:C130107EUR000000001000,00", ":60M:C130108EUR965,00").replace(
        "000000000965,00", "930,00"
    )
    _kind, statements = read(first + second)
    assert [one.balance("closing").amount for one in statements] == [Decimal("965.00"), Decimal("930.00")]
    assert not any(problems(one) for one in statements)


def test_a_text_that_looks_like_a_field_is_text():
    text = RABO.replace("/REMI/rent", "/REMI/rent\n:26:37 and\n- more")
    _kind, (one,) = read(text)
    assert "26:37 and" in one.entries[0].text
    assert len(one.entries) == 1


@pytest.mark.parametrize("text", [ING, ABN])
def test_another_reader_of_mt940_finds_the_same_amounts(text):
    _kind, (one,) = read(text)
    theirs = mt940.parse(text[text.index(":20:") :])
    assert [entry.amount for entry in one.entries] == [
        other.data["amount"].amount if other.data["status"] != "RC" else -abs(other.data["amount"].amount)
        for other in theirs
    ]


MT942 = """:20:1234567
:25:21020100/12345
:28C:5/1
:34F:EUR0,00
:13D:2610301415+0100
:61:2610301030C500,00NTRFNONREF//B1
:86:PAYMENT RF12
:61:2610301030D20,00NCHGNONREF
:90D:1EUR20,00
:90C:1EUR500,00
-"""


def test_a_report_in_the_day_is_proved_by_its_sums():
    kind, (one,) = read(MT942)
    assert (kind, one.checks, problems(one), one.balances) == ("mt942", [":90D:", ":90C:"], [], [])
    _kind, (wrong,) = read(MT942.replace(":90C:1EUR500,00", ":90C:2EUR500,01"))
    assert len(problems(wrong)) == 2
    assert "501" not in problems(wrong)[0]
    assert "500.01 EUR" in problems(wrong)[1]


def test_a_report_with_a_floor_leaves_small_bookings_out():
    _kind, (one,) = read(MT942.replace(":34F:EUR0,00", ":34F:EURD100,").replace(":90D:1EUR20,00", ":90D:9EUR35,00"))
    assert (problems(one), one.checks) == ([], [])
    assert "floor limit" in str(one.troubles[0])


# ── BAI2 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

BAI2 = """01,122099999,123456789,261031,0200,1,80,,2/
02,031001234,122099999,1,261030,2359,USD,2/
03,0123456789,,010,100000,,,015,130000,,,100,50000,1,,400,20000,1,/
16,195,50000,V,261031,,BANK1,CUST1,WIRE IN, OUR REF RF12/
88,FROM CLARA WEBER
16,475,20000,,BANK2,,CHECK 100/
49,370000,5/
98,370000,1,7/
99,370000,1,9/
"""


def test_bai2_implies_decimals_and_continues_texts():
    kind, (one,) = read(BAI2)
    assert (kind, one.account, one.currency) == ("bai2", "0123456789", "USD")
    credit, debit = one.entries
    assert (credit.amount, debit.amount) == (Decimal("500.00"), Decimal("-200.00"))
    assert (credit.text, credit.bank_reference, credit.references) == (
        "WIRE IN,OUR REF RF12 FROM CLARA WEBER",
        "BANK1",
        {"customer": "CUST1"},
    )
    assert (str(credit.booked_on), str(credit.value_on)) == ("2026-10-30", "2026-10-31")
    assert problems(one) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("49,370000,5/", "49,370001,5/"), "Line 7, control total of the account: it is 370001"),
        (("49,370000,5/", "49,370000,6/"), "it counts 6 records, but there are 5"),
        (("98,370000,1,7/", "98,370000,2,7/"), "control total of the group: it counts 2 parts"),
        (("98,370000,1,7/", "98,1,1,7/"), "control total of the group: it is 1, but the amounts add up to 370000"),
        (("99,370000,1,9/", "99,370000,3,9/"), "control total of the file: it counts 3 parts"),
        (("16,475,20000", "16,475,2OO00"), "Line 6: “2OO00” is not an amount."),
        (("16,475,", "16,722,"), "type code “722” is neither"),
        (
            ("015,130000", "015,130100"),
            "opening balance and entries come to 1300.00 USD, but the closing balance is 1301.00 USD",
        ),
    ],
)
def test_each_level_of_bai2_is_checked(change, words):
    _kind, (one,) = read(BAI2.replace(*change))
    assert words in "\n".join(problems(one))


def test_yen_have_no_decimals_in_bai2():
    _kind, (one,) = read(BAI2.replace(",USD,", ",JPY,"))
    assert one.entries[0].amount == Decimal(50000)


def test_several_records_in_a_line_and_lines_without_a_code():
    text = BAI2.replace("/\n16,", "/ 16,").replace("FROM CLARA WEBER\n", "FROM CLARA\nWEBER\n")
    _kind, (one,) = read(text)
    assert (len(one.entries), problems(one)) == (2, [])
    assert one.entries[0].text.endswith("FROM CLARA WEBER")


def test_a_group_that_is_not_explained_by_details_is_said_not_refused():
    summary = "\n".join(line for line in BAI2.splitlines() if not line.startswith(("16", "88")))
    for told, right in (
        ("49,370000,5/", "49,300000,2/"),
        ("98,370000,1,7/", "98,300000,1,4/"),
        ("99,370000,1,9/", "99,300000,1,6/"),
    ):
        summary = summary.replace(told, right)
    _kind, (one,) = read(summary)
    assert (one.entries, problems(one), "opening + totals = closing" in one.checks) == ([], [], True)


# ── OFX ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

OFX1 = """OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR
<BANKACCTFROM><BANKID>37040044<ACCTID>532013000<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20261001<DTEND>20261031
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261030120000[-5:EST]<TRNAMT>+500,00<FITID>F1<NAME>Clara & Söhne<MEMO></STMTTRN>
<STMTTRN><TRNTYPE>CHECK<DTPOSTED>20261031<TRNAMT>-20.50<FITID>F2<CHECKNUM>100<MEMO>rent &amp; heat</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>1479.50<DTASOF>20261031</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"""
OFX2 = """<?xml version="1.0" encoding="UTF-8"?><?OFX OFXHEADER="200" VERSION="211"?>
<OFX><CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS><CURDEF>JPY</CURDEF><CCACCTFROM><ACCTID>4111</ACCTID></CCACCTFROM>
<BANKTRANLIST><DTSTART>20261001</DTSTART><DTEND>20261031</DTEND>
<STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20261030</DTPOSTED><TRNAMT>-500</TRNAMT><FITID>F1</FITID>
<PAYEE><NAME>Shop</NAME><CITY>Kyoto</CITY></PAYEE><MEMO><![CDATA[a < b]]></MEMO></STMTTRN></BANKTRANLIST>
</CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1></OFX>"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_ofx_of_sgml_leaves_its_tags_open(encoding):
    kind, (one,) = read(OFX1.encode(encoding))
    credit, check = one.entries
    assert (kind, one.account, one.bank, one.currency, problems(one)) == ("ofx", "532013000", "37040044", "EUR", [])
    assert (credit.amount, credit.party.name, credit.bank_reference, credit.text) == (
        Decimal("500.00"),
        "Clara & Söhne",
        "F1",
        "Clara & Söhne",
    )
    assert (check.amount, check.references, check.text) == (Decimal("-20.50"), {"check": "100"}, "rent & heat")
    assert (one.balance("closing").amount, str(one.first_day), str(one.last_day)) == (
        Decimal("1479.50"),
        "2026-10-01",
        "2026-10-31",
    )


def test_ofx_of_xml():
    _kind, (one,) = read(OFX2)
    assert (one.currency, one.entries[0].amount, one.entries[0].party.name, one.entries[0].text) == (
        "JPY",
        Decimal(-500),
        "Shop",
        "a < b",
    )


def test_a_broken_amount_or_day_of_ofx_is_named():
    _kind, (one,) = read(OFX1.replace("-20.50", "-20.5O").replace("20261031<TRNAMT>", "20261331<TRNAMT>"))
    assert problems(one) == [
        "Statement 1, entry 2: “-20.5O” is not an amount (TRNAMT).",
        "Statement 1, entry 2: “20261331” is not a date like 20261031.",
    ]


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "currency", "amounts", "days"),
    [
        (
            "Date,Description,Paid out,Paid in,Balance\n31/01/2026,a,10.00,,90.00\n1/2/2026,b,,5.50,95.50\n",
            "",
            ["-10.00", "5.50"],
            ["2026-01-31", "2026-02-01"],
        ),
        (
            "Datum;Naam;Rekening;Af Bij;Bedrag (EUR)\n20260131;x;NL1;Af;1.234,50\n20260201;y;NL1;Bij;5,00\n",
            "EUR",
            ["-1234.50", "5.00"],
            ["2026-01-31", "2026-02-01"],
        ),
        (
            "Transaction date,Value date,Description,Withdrawals (SGD),Deposits (SGD)\n18/04/2026,18/04/2026,x,6.66,\n",
            "SGD",
            ["-6.66"],
            ["2026-04-18"],
        ),
        (
            '"date","amount","currency"\n"1/13/2026","(1,234.56)","USD"\n"1/2/2026","$5.00","USD"\n',
            "USD",
            ["-1234.56", "5.00"],
            ["2026-01-13", "2026-01-02"],
        ),
        (
            "Datum\tBetrag\tWährung\tS/H\n03.02.26\t10,00\tEUR\tS\n04.02.26\t7,00\tEUR\tH\n",
            "EUR",
            ["-10.00", "7.00"],
            ["2026-02-03", "2026-02-04"],
        ),
        (
            "18.09.2026;HOFER DANKT;18.09.2026;-33,87;EUR\n19.09.2026;LIDL;18.09.2026;12,00;EUR\n",
            "EUR",
            ["-33.87", "12.00"],
            ["2026-09-18", "2026-09-19"],
        ),
        (
            "Konto:;DE89370400440532013000\nKontostand vom 31.01.2026:;1.000,00 EUR\n\n"
            "Buchungstag;Betrag (EUR)\n5. Jan 2026;-1,00\n",
            "EUR",
            ["-1.00"],
            ["2026-01-05"],
        ),
    ],
)
def test_tables_of_many_banks(text, currency, amounts, days):
    kind, (one,) = read(text)
    assert (kind, one.currency, problems(one)) == ("csv", currency, [])
    assert [str(entry.amount) for entry in one.entries] == amounts
    assert [str(entry.booked_on) for entry in one.entries] == days


def test_a_currency_each_is_a_statement_each():
    text = "date,amount,currency,state\n2026-01-01,5.00,USD,COMPLETED\n2026-01-02,7.00,EUR,COMPLETED\n2026-01-03,8.00,USD,PENDING\n"
    _kind, (dollars, euros) = read(text)
    assert ([len(dollars.booked), len(dollars.entries)], euros.entries[0].amount) == ([1, 2], Decimal("7.00"))


def test_a_fee_that_the_balance_shows_is_taken_off():
    head = "Completed Date,Description,Amount,Fee,Currency,Balance\n"
    text = f"{head}2026-01-01,a,-10.00,0.50,EUR,89.50\n2026-01-02,b,5.00,0.00,EUR,94.50\n"
    _kind, (one,) = read(text)
    assert ([str(entry.amount) for entry in one.entries], problems(one)) == (["-10.00", "5.00"], [])
    _kind, (one,) = read(text.replace("94.50", "94.00").replace("b,5.00,0.00", "b,5.00,0.50"))
    assert ([str(entry.amount) for entry in one.entries], problems(one)) == (["-10.50", "4.50"], [])


def test_a_quotation_mark_that_is_not_closed_swallows_nothing():
    with pytest.raises(BadStatement, match=r"Line 3: a quotation mark is not closed"):
        read('date,amount,text\n2026-01-01,1.00,a\n2026-01-02,2.00,"b\n2026-01-03,3.00,c\n')


def workbook(*rows: list[object]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet, day = book.add_worksheet("Movements"), book.add_format({"num_format": "yyyy-mm-dd"})
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if hasattr(cell, "year"):
                sheet.write_datetime(at, column, cell, day)
            else:
                sheet.write(at, column, cell)
    book.close()
    return file.getvalue()


def test_a_workbook_has_days_and_numbers_of_its_own():
    import datetime as dt

    content = workbook(
        ["Account statement"],
        ["Account number", "123456789"],
        ["Booking date", "Amount", "Currency", "Description"],
        [dt.datetime(2026, 1, 31), -0.3, "EUR", "a"],
        [dt.datetime(2026, 2, 1), 1234567.89, "EUR", "b"],
    )
    kind, (one,) = read(content)
    assert (kind, one.account, [str(entry.amount) for entry in one.entries]) == (
        "xlsx",
        "123456789",
        ["-0.3", "1234567.89"],
    )
    assert [str(entry.booked_on) for entry in one.entries] == ["2026-01-31", "2026-02-01"]
    assert one.entries[0].place == "Movements: Line 4"


def test_an_archive_is_all_of_its_files():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.sta", RABO)
        archive.writestr("b.ofx", OFX1)
    kind, statements = read(file.getvalue())
    assert (kind, [one.currency for one in statements]) == ("zip", ["EUR", "EUR"])
    assert statements[1].place.startswith("b.ofx: ")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ING, "mt940"),
        (ABN, "mt940"),
        (MT942, "mt942"),
        (BAI2, "bai2"),
        (OFX1, "ofx"),
        (OFX2, "ofx"),
        ("a;b\n1;2\n", "csv"),
        ("\ufeff\n <?xml version='1.0'?><Document/>", "camt"),
    ],
)
def test_formats_are_found_out(text, kind):
    assert find_format(io.BytesIO(text.encode())) == kind


# ── whatever the file ────────────────────────────────────────────────────────────────────────────────────────────────

AMOUNTS = st.lists(st.integers(min_value=-(10**9), max_value=10**9).filter(bool), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(opening=st.integers(min_value=-(10**9), max_value=10**9), minors=AMOUNTS)
def test_what_was_written_as_mt940_bai2_and_csv_is_read_again(opening, minors):
    closing = opening + sum(minors)

    def balance(minor: int) -> str:
        return f"{'D' if minor < 0 else 'C'}261030EUR{abs(minor) // 100},{abs(minor) % 100:02}"

    lines = [
        f":61:2610301030{'D' if minor < 0 else 'C'}{abs(minor) // 100},{abs(minor) % 100:02}NTRFNONREF"
        for minor in minors
    ]
    swift = "\n".join([":20:X", ":25:1/2", f":60F:{balance(opening)}", *lines, f":62F:{balance(closing)}", "-"])
    total = opening + closing + sum(abs(minor) for minor in minors)
    details = [f"16,{'475' if minor < 0 else '195'},{abs(minor)},,,,X/" for minor in minors]
    bai = "\n".join(
        [
            "01,A,B,261031,0000,1,,,2/",
            "02,B,A,1,261030,,EUR,2/",
            f"03,1,,010,{opening},,,015,{closing},,/",
            *details,
            f"49,{total},{len(minors) + 2}/",
            f"98,{total},1,{len(minors) + 4}/",
            f"99,{total},1,{len(minors) + 6}/",
        ]
    )
    balances = [opening + sum(minors[: at + 1]) for at in range(len(minors))]
    rows = [
        f"2026-10-30,{Decimal(minor) / 100:.2f},EUR,{Decimal(after) / 100:.2f}"
        for minor, after in zip(minors, balances, strict=True)
    ]
    table = "\n".join(["date,amount,currency,balance", *rows])
    for text in (swift, bai, table):
        _kind, (one,) = read_statements(text.encode())
        assert [entry.minor for entry in one.entries] == minors
        assert (one.opening_minor, one.closing_minor) == (opening, closing)


@settings(max_examples=60, deadline=None)
@given(
    content=st.text(max_size=200),
    head=st.sampled_from([ING[:120], MT942[:90], BAI2[:120], OFX1[:400], "date,amount,currency\n", ""]),
)
def test_any_text_is_read_or_refused(content, head):
    try:
        read(head + content)
    except BadStatement:
        return


@pytest.mark.parametrize(
    ("written", "mark", "number"),
    [
        ("1.234,56", ",", "1234.56"),
        ("12,34,567.80", ".", "1234567.80"),
        ("1 234 567", ".", "1234567"),
        ("(5.00)", ".", "-5.00"),
        ("5.00-", ".", "-5.00"),
        ("5,00 EUR", ",", "5.00"),
        ("US$1,000.00 DR", ".", "-1000.00"),
        ("−3", ".", "-3"),
        (".5", ".", "0.5"),
        ("12..34", ".", None),
        ("12..34", ",", None),
        ("1.23.4", ",", None),
        ("1,2", ".", None),
        ("1.234", "", None),
        ("VWZ1", ".", None),
        ("12 Main", ".", None),
        (0.1 + 0.2, ".", "0.3"),
        (float("nan"), ".", None),
    ],
)
def test_amounts_in_cells(written, mark, number):
    found = number_of(written, mark)
    assert (found if found is None else str(found)) == number


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("31.12.2026", {"2026-12-31"}),
        ("1/2/2026", {"2026-01-02", "2026-02-01"}),
        ("20261231120000[-5:EST]", {"2026-12-31"}),
        ("5. März 2026", {"2026-03-05"}),
        ("Dec 5, 2026", {"2026-12-05"}),
        ("05-JAN-26", {"2026-01-05"}),
        ("2026-12-31T10:00:00Z", {"2026-12-31"}),
        ("2026/12/31", {"2026-12-31"}),
        ("20.02.18", {"2018-02-20"}),
        ("32.01.2026", set()),
        ("123", set()),
        ("1.234,50", set()),
    ],
)
def test_days_in_cells(written, days):
    assert {str(day) for day in days_of(written).values()} == days

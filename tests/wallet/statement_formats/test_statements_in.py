"""Bank statements as banks write them: camt of several versions, MT940, CSV; proved, or refused with their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.statement_formats import BadStatement, read_statements
from wallet.statement_formats.base import fingerprints

OLD = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
IBAN = "DE89370400440532013000"


def balance(code: str, amount: str, side: str = "CRDT", day: str = "2026-10-30") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def entry(amount: str, side: str = "CRDT", inner: str = "", status: str = "<Sts>BOOK</Sts>", ref: str = "") -> str:
    own = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{status}<BookgDt><Dt>2026-10-30</Dt></BookgDt>"
        f"{own}{inner}</Ntry>"
    )


def stmt(*inner: str, iban: str = IBAN) -> str:
    return f"<Stmt><Id>S1</Id><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>{''.join(inner)}</Stmt>"


def document(*statements: str, namespace: str = OLD, group: str = "BkToCstmrStmt") -> bytes:
    return f"<?xml version='1.0'?><Document xmlns='{namespace}'><{group}>{''.join(statements)}</{group}></Document>".encode()


PAYER_02 = (
    "<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr><Nm>Clara Weber</Nm></Dbtr>"
    "<DbtrAcct><Id><IBAN>DE75512108001245126199</IBAN></Id></DbtrAcct></RltdPties>"
    "<RmtInf><Ustrd>RF12</Ustrd><Ustrd>D23456</Ustrd></RmtInf></TxDtls></NtryDtls>"
)
PAYER_08 = PAYER_02.replace(
    "<Dbtr><Nm>Clara Weber</Nm></Dbtr>", "<Dbtr><Pty><Nm>Clara Weber</Nm></Pty></Dbtr>"
).replace("<Ustrd>RF12</Ustrd><Ustrd>D23456</Ustrd>", "<Strd><CdtrRefInf><Ref>RF12D23456</Ref></CdtrRefInf></Strd>")


@pytest.mark.parametrize(
    ("namespace", "inner", "status", "text"),
    [
        (OLD, PAYER_02, "<Sts>BOOK</Sts>", "RF12 D23456"),
        (OLD.replace(".02", ".08"), PAYER_08, "<Sts><Cd>BOOK</Cd></Sts>", "RF12D23456"),
        ("http://bank.example/own", PAYER_02, "", "RF12 D23456"),
    ],
)
def test_versions_and_namespaces_make_no_difference(namespace, inner, status, text):
    content = document(
        stmt(balance("OPBD", "10.00"), balance("CLBD", "110.00"), entry("100.00", inner=inner, status=status)),
        namespace=namespace,
    )
    kind, (one,) = read_statements(content)
    found = one.entries[0]
    assert (kind, one.account, one.opening_minor, one.closing_minor) == ("camt", IBAN, 1_000, 11_000)
    assert (found.minor, found.text, found.party_name) == (10_000, text, "Clara Weber")
    assert (found.party_account, found.end_to_end) == ("DE75512108001245126199", "")


def test_several_statements_each_prove_themselves():
    content = document(
        stmt(balance("OPBD", "0.00"), balance("CLBD", "5.00"), entry("5.00")),
        stmt(balance("PRCD", "5.00"), balance("CLBD", "2.00", "DBIT"), entry("7.00", "DBIT")),
    )
    _kind, statements = read_statements(content)
    assert [one.closing_minor for one in statements] == [500, -200]


def test_pending_entries_do_not_count():
    content = document(
        stmt(
            balance("OPBD", "0.00"),
            balance("CLBD", "5.00"),
            entry("5.00"),
            entry("9.00", status="<Sts>PDNG</Sts>"),
            entry("8.00", status="<Sts><Cd>INFO</Cd></Sts>"),
        )
    )
    _kind, (one,) = read_statements(content)
    assert [found.minor for found in one.entries] == [500]


def detail(amount: str = "", reference: str = "", side: str = "") -> str:
    told = f"<Amt Ccy='EUR'>{amount}</Amt>" if amount else ""
    direction = f"<CdtDbtInd>{side}</CdtDbtInd>" if side else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>{told}{direction}"
        f"<RmtInf><Ustrd>text {reference}</Ustrd></RmtInf></TxDtls>"
    )


def test_a_batch_booking_counts_payment_by_payment():
    batch = f"<NtryDtls><Btch><PmtInfId>B1</PmtInfId></Btch>{detail('3.00', 'A')}{detail('2.00', 'B')}</NtryDtls>"
    _kind, (one,) = read_statements(
        document(stmt(balance("OPBD", "0.00"), balance("CLBD", "5.00"), entry("5.00", inner=batch)))
    )
    assert [(found.minor, found.end_to_end, found.part, found.batch) for found in one.entries] == [
        (300, "A", 1, "B1"),
        (200, "B", 2, "B1"),
    ]
    assert len(set(fingerprints(one.account, one.entries))) == 2


def test_a_batch_whose_details_tell_no_amounts_counts_as_one():
    batch = f"<NtryDtls>{detail('', 'A')}{detail('', 'B')}</NtryDtls>"
    _kind, (one,) = read_statements(
        document(stmt(balance("OPBD", "0.00"), balance("CLBD", "5.00"), entry("5.00", inner=batch)))
    )
    assert [(found.minor, found.text) for found in one.entries] == [(500, "text A text B")]


def test_a_notification_has_no_balances_and_a_report_neither():
    for group, part in (("BkToCstmrDbtCdtNtfctn", "Ntfctn"), ("BkToCstmrAcctRpt", "Rpt")):
        content = document(stmt(entry("5.00", ref="X1")).replace("Stmt>", f"{part}>"), group=group)
        _kind, (one,) = read_statements(content)
        assert (one.opening_minor, one.entries[0].bank_reference) == (None, "X1")


def test_a_return_says_so():
    told = "<Refs><EndToEndId>W-1</EndToEndId></Refs><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    inner = f"<NtryDtls><TxDtls>{told}</TxDtls></NtryDtls>"
    _kind, (one,) = read_statements(document(stmt(entry("5.00", inner=inner))))
    assert (one.entries[0].end_to_end, one.entries[0].return_reason) == ("W-1", "AC04")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<Document>", r"Line 1, column 11: this isn't XML"),
        (b"<Other/>", "a camt.052"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><Document>&a;</Document>", "DTD or entities"),
        (
            document(stmt(balance("OPBD", "1.00"), balance("CLBD", "5.00"), entry("5.00"))),
            r"Statement S1: .*closing balance is",
        ),
        (document(stmt(entry("5.001"))), r"Statement S1, entry 1: “5.001” has too many decimal"),
        (document(stmt(entry("1e400"))), r"entry 1: .* is too large"),
        (document(stmt(entry("-"))), r"entry 1: “-” is not an amount"),
        (document(stmt(entry("5.00", "PLUS"))), r"entry 1: “PLUS” is neither CRDT nor DBIT"),
        (document(stmt(entry("5.00").replace("2026-10-30", "30.10.26"))), r"entry 1: “30.10.26” is not a date"),
        (document(stmt(entry("5.00").replace("'EUR'", "'EURO'"))), r"entry 1: “EURO” isn't a currency code"),
        (document(stmt(entry("5.00").replace("'EUR'", "'USD'"))), r"entry 1: it is in USD, but the account is in EUR"),
        (document(stmt(entry("5.00"), iban="")), "account is missing"),
        (
            document(stmt(entry("5.00", inner=f"<NtryDtls>{detail('3.00')}{detail('3.00')}</NtryDtls>"))),
            "don't add up to the entry",
        ),
        (
            document(stmt("<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>", entry("5.00"))),
            "the bank counts 2 entries",
        ),
    ],
)
def test_a_broken_camt_is_refused_with_its_place(content, words):
    with pytest.raises(BadStatement, match=words):
        read_statements(content)


def test_two_equal_wires_are_two_and_the_same_file_gives_the_same_marks():
    _kind, (one,) = read_statements(document(stmt(entry("5.00", inner=PAYER_02), entry("5.00", inner=PAYER_02))))
    marks = fingerprints(one.account, one.entries)
    assert len(set(marks)) == 2
    assert fingerprints(one.account, one.entries) == marks
    assert fingerprints(one.account, one.entries[:1]) == marks[:1]


# ── MT940 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

MT940 = """:20:STARTUMS
:25:37040044/0532013000
:28C:1/1
:60F:C261029EUR1000,00
:61:2610301030CR500,00NTRFNONREF//BANK1
:86:166?00GUTSCHRIFT?20SVWZ+RF12 D2345 6789?21ABCD?30COBADEFF?31DE75512108001245126199?32CLARA WEBER
:61:2610301030D20,50NTRFW-1//BANK2
:86:UEBERWEISUNG
:62F:C261030EUR1479,50
-
"""


def test_mt940_is_read_and_proved():
    kind, (one,) = read_statements(MT940.encode())
    assert (kind, one.currency, one.opening_minor, one.closing_minor) == ("mt940", "EUR", 100_000, 147_950)
    credit, debit = one.entries
    assert (credit.minor, credit.bank_reference, credit.party_name) == (50_000, "BANK1", "CLARA WEBER")
    assert "D2345 6789ABCD" in credit.text.replace("  ", " ") or "D23456789ABCD" in credit.text.replace(" ", "")
    assert (debit.minor, debit.end_to_end) == (-2_050, "W-1")


def test_mt940_of_two_days_is_two_statements():
    second = MT940.replace("C261029EUR1000,00", "C261030EUR1479,50").replace(
        "C261030EUR1479,50\n-", "C261030EUR1959,00\n-"
    )
    _kind, statements = read_statements((MT940 + second).encode())
    assert [one.closing_minor for one in statements] == [147_950, 195_900]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("1479,50", "1479,51"), r"Statement .*closing balance is"),
        ((":62F:C261030EUR1479,50\n", ""), "closing balance is missing"),
        ((":61:2610301030D20,50NTRFW-1//BANK2", ":61:XXXX"), "Statement"),
    ],
)
def test_a_broken_mt940_is_refused(change, words):
    with pytest.raises(BadStatement, match=words):
        read_statements(MT940.replace(*change).encode())


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

CSV = """Buchungstag;Betrag;Währung;Name;IBAN;Verwendungszweck;Saldo
30.10.2026;1.500,00;EUR;Clara Weber;DE75 5121 0800 1245 1261 99;RF12 D2345;1.600,00
31.10.2026;-100,00;EUR;;;Gebühr;1.500,00
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_german_csv_with_a_running_balance(encoding):
    kind, (one,) = read_statements(CSV.encode(encoding))
    assert (kind, one.opening_minor, one.closing_minor) == ("csv", 10_000, 150_000)
    assert [found.minor for found in one.entries] == [150_000, -10_000]
    assert one.entries[0].party_account == "DE75512108001245126199"


def test_a_csv_newest_first_is_proved_too():
    head, *lines = CSV.splitlines()
    _kind, (one,) = read_statements("\n".join([head, *lines[::-1]]).encode())
    assert (one.opening_minor, one.closing_minor) == (10_000, 150_000)


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("1,234.56", 123_456),
        ("1.234,56", 123_456),
        ("1234.5", 123_450),
        ("1234", 123_400),
        ("-0,01", -1),
        ("1.234.567,8", 123_456_780),
        ("1'234.50", 123_450),
        ("1 234,50", 123_450),
        ("+5", 500),
    ],
)
def test_amounts_as_people_write_them(written, minor):
    content = f'date;amount;currency\n2026-10-30;"{written}";EUR\n'.encode()
    _kind, (one,) = read_statements(content)
    assert one.entries[0].minor == minor


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("date;text\n2026-10-30;rent\n", "No date and amount columns"),
        ("date;amount\n2026-10-30;1.50\n", "currency is missing"),
        ("date;amount;currency\n", "no entries"),
        (
            "date;amount;currency\n2026-10-30;1.234;EUR\n",
            r"Line 2, column “amount”: “1.234” could mean two different amounts",
        ),
        ("date;amount;currency\n2026-13-30;1;EUR\n", r"Line 2, column “date”: “2026-13-30” is not a date"),
        ("date;amount;currency\n2026-10-30;one;EUR\n", r"Line 2, column “amount”"),
        ("date;amount;currency\n2026-10-30;1;Euro\n", r"Line 2, column “currency”"),
        ("date;amount;currency\n2026-10-30\n", "no entries"),
        (CSV.replace("1.500,00\n", "1.400,00\n"), r"Line 3: its balance doesn't follow"),
        ('date;amount;currency\n"2026-10-30;1;EUR\n', r"Line "),
    ],
)
def test_a_broken_csv_is_refused_with_line_and_column(content, words):
    with pytest.raises(BadStatement, match=words):
        read_statements(content.encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    for head in (b"", b"<", b":20:x\n:25:y\n", b"date;amount;currency\n"):
        try:
            read_statements(head + content)
        except BadStatement:
            continue

"""Month-end: the PSP's own report against our books; every planted difference found and named, nothing matched wrongly."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from django.utils.translation import override

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, OutboxEvent
from tests.wallet.deposits.test_deposit import pay, start
from tests.wallet.reports import read_all
from wallet.choices.ledger import AccountKind
from wallet.choices.reconciliation import BreakKind, BreakState
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Break, Journal, Match, PspMovement, SettlementImport, SettlementRow
from wallet.psp.settlement import BadFile
from wallet.psp.settlement_csv import PlainReader
from wallet.reconciliation import resolve_break
from wallet.reconciliation.settlement_import import fetch_and_import, import_report, original_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(cast, outside):
    """Five settled deposits at the PSP and in our books."""
    for number in range(5):
        pay(start(cast, outside, str(100 + number), key=f"k{number}"))
    outside.deliver(wait_for=10)
    return cast


def fetch(cast, outside) -> SettlementImport:
    day = dt.datetime.now(dt.UTC).date()
    return fetch_and_import(psp_id=outside.psp.pk, first=day, last=day, actor=cast.finance)


def report_text(outside) -> str:
    day = dt.datetime.now(dt.UTC).date()
    return outside.running.call("northpay", "GET", f"/settlements?from={day}&to={day}").text


def test_everything_matches_and_fees_are_booked(books, outside):
    report = fetch(books, outside)
    assert (report.row_count, report.matched, report.breaks_found) == (5, 5, 0)
    assert set(Match.objects.values_list("rule", flat=True)) == {"psp_reference"}
    fees = posting.house(AccountKind.FEES, brand_id=books.brand.pk, currency="EUR")
    expected = sum(row.fee_minor for row in SettlementRow.objects.all())
    assert posting.balance(fees) == -expected < 0
    assert posting.balance(posting.psp_clearing(outside.psp, "EUR")) == -(51_000 - expected)
    assert report.totals["EUR"]["net"] == 51_000 - expected
    assert OutboxEvent.objects.get(name="wallet.reconciliation_finished").payload["matched"] == 5
    assert b"".join(original_of(report)).startswith(b"record,batch,type")
    assert verify().holds


@pytest.mark.parametrize(
    ("planted", "kinds"),
    [
        ("amount", {BreakKind.AMOUNT}),
        ("missing_row", {BreakKind.MISSING_THERE}),
        ("extra_row", {BreakKind.MISSING_HERE}),
        ("duplicate_row", {BreakKind.DUPLICATE}),
        ("currency", {BreakKind.CURRENCY}),
    ],
)
def test_a_planted_difference_is_found_and_named(books, outside, planted, kinds):
    outside.running.fault("settlement_difference", planted, times=1)
    report = fetch(books, outside)
    assert set(Break.objects.values_list("kind", flat=True)) == kinds
    assert report.breaks_found == 1
    assert report.matched == (5 if planted in ("extra_row", "duplicate_row") else 4)


def test_an_amount_break_says_by_how_much(books, outside):
    outside.running.fault("settlement_difference", "amount", times=1)
    fetch(books, outside)
    one = Break.objects.get()
    assert (one.difference_minor, one.currency) == (-1_000, "EUR")
    assert one.row is not None and one.movement is not None


def test_a_report_that_does_not_add_up_is_refused_whole(books, outside):
    outside.running.fault("settlement_difference", "totals", times=1)
    with pytest.raises(BadFile, match="does not add up in EUR"):
        fetch(books, outside)
    assert not SettlementImport.objects.exists()
    assert not SettlementRow.objects.exists()


def test_the_same_file_twice_is_refused_kindly(books, outside):
    content = report_text(outside).encode()
    import_report(psp_id=outside.psp.pk, file_name="november.csv", content=content, actor=books.finance)
    with pytest.raises(DomainError, match=r"already imported on .* as “november.csv”"):
        import_report(psp_id=outside.psp.pk, file_name="again.csv", content=content, actor=books.finance)
    assert SettlementImport.objects.count() == 1


def test_a_later_report_that_overlaps_counts_nothing_twice(books, outside):
    first = fetch(books, outside)
    booked = Journal.objects.filter(kind="psp_fee").count()
    pay(start(books, outside, "50", key="more"))
    outside.deliver(wait_for=2)
    second = fetch(books, outside)
    assert (first.matched, second.matched, second.seen_before, second.breaks_found) == (5, 1, 5, 0)
    assert Journal.objects.filter(kind="psp_fee").count() == booked + 1
    assert verify().holds


def test_a_break_that_a_later_report_explains_closes_itself(books, outside):
    outside.running.fault("settlement_difference", "missing_row", times=1)
    fetch(books, outside)
    assert Break.objects.get().state == BreakState.OPEN
    fetch(books, outside)
    one = Break.objects.get()
    assert (one.state, one.resolved_by) == (BreakState.RESOLVED, None)
    assert one.resolution == "" and one.how_resolved.startswith("Explained by report “northpay")
    with override("de"):
        assert one.how_resolved.startswith("Durch Bericht")


def test_our_reference_matches_where_the_psp_s_own_is_unknown(books, outside):
    outside.running.play("northpay", PspMovement.objects.order_by("pk").first().reference, "chargeback")
    outside.deliver(wait_for=1)
    report = fetch(books, outside)
    assert (report.matched, report.breaks_found) == (6, 0)
    assert Match.objects.get(rule="our_reference").movement.kind == "chargeback"


def test_an_ambiguous_match_is_never_taken(books, outside):
    """Two rows with our reference and amount but foreign PSP references: neither is taken."""
    movement = PspMovement.objects.order_by("pk").first()
    text = report_text(outside)
    row = next(line for line in text.splitlines() if movement.psp_reference in line)
    twins = row.replace(movement.psp_reference, "pay_x") + "\n" + row.replace(movement.psp_reference, "pay_y")
    net = Decimal(row.split(",")[10])
    closing = next(line for line in text.splitlines() if line.startswith("closing"))
    fields = closing.split(",")
    fields[10] = str(Decimal(fields[10]) + net)
    text = text.replace(row, twins).replace(closing, ",".join(fields))
    report = import_report(psp_id=outside.psp.pk, file_name="x.csv", content=text.encode(), actor=books.finance)
    assert report.matched == 4
    assert not Match.objects.filter(movement=movement).exists()


def test_what_the_psp_paid_to_our_bank_is_booked_once(books, outside):
    history = [
        {
            "type": "payment",
            "psp_reference": "pay_old",
            "merchant_reference": "D-OLD",
            "gross_minor": 10_000,
            "fee_minor": 215,
            "currency": "EUR",
            "created_at": "2026-10-05T10:00:00+00:00",
        }
    ]
    outside.running.control("northpay/history", {"movements": history})
    for last in (dt.date(2026, 10, 31), dt.date(2026, 11, 15)):
        fetch_and_import(psp_id=outside.psp.pk, first=dt.date(2026, 10, 1), last=last, actor=books.finance)
    bank = posting.house(AccountKind.CLIENT_MONEY_BANK, brand_id=books.brand.pk, currency="EUR")
    assert posting.balance(bank) == -9_785
    assert Journal.objects.filter(kind="psp_settlement").count() == 1


def test_only_finance_imports_and_resolves(books, outside):
    for actor in (books.agent, books.auditor, books.administrator):
        with pytest.raises(NotAllowed):
            import_report(psp_id=outside.psp.pk, file_name="x", content=b"", actor=actor)
    outside.running.fault("settlement_difference", "amount", times=1)
    fetch(books, outside)
    one = Break.objects.get()
    with pytest.raises(NotAllowed):
        resolve_break(break_id=one.pk, actor=books.auditor, resolution="fine")
    with pytest.raises(DomainError):
        resolve_break(break_id=one.pk, actor=books.finance, resolution=" ")
    resolve_break(break_id=one.pk, actor=books.finance, resolution="The PSP corrects it in December")
    with pytest.raises(WrongState):
        resolve_break(break_id=one.pk, actor=books.finance, resolution="again")
    assert AuditEvent.objects.filter(action="wallet.break_resolved").count() == 1


# Bad files: line and column, nothing half imported


GOOD = """record,batch,type,psp_reference,merchant_reference,original_reference,created_at,currency,gross,fee,net,method
opening,,,,,,2026-10-01,EUR,,,0.00,
row,b1,payment,pay_1,D-1,,2026-10-05T10:00:00Z,EUR,100.00,2.15,97.85,visa
closing,,,,,,2026-10-31,EUR,,,97.85,
"""


def test_a_good_file_is_read_exactly():
    read = read_all(PlainReader(io.BytesIO(("﻿" + GOOD).encode())))
    assert (read.first_day, read.last_day) == (dt.date(2026, 10, 1), dt.date(2026, 10, 31))
    row = read.rows[0]
    assert (row.line, row.gross_minor, row.fee_minor, row.net_minor) == (3, 10_000, 215, 9_785)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("100.00", "1oo.00", "Line 3, column “gross”"),
        ("100.00", "100.001", "too many decimal places for EUR"),
        ("97.85,visa", "97.84,visa", "gross less fee is not net"),
        ("2026-10-05T10:00:00Z", "05.10.2026", "Line 3, column “created_at”"),
        ("row,b1,payment", "row,b1,gift", "“gift” is not a known type"),
        ("row,b1", "line,b1", "expected opening, row or closing"),
        ("EUR,100.00", "Euro,100.00", "a currency code"),
        ("EUR,100.00", "USD,100.00", "no opening balance in USD"),
        (",97.85,\n", ",97.86,\n", "Line 4, column “net”: .* give €97.85, closing says €97.86"),
        ("pay_1,D-1", ",D-1", "column “psp_reference”"),
        (",visa", "", "more or fewer fields"),
        ("gross,fee,net", "gross,fees,net", "these columns are missing: fee"),
        ("opening,,,,,,2026-10-01,EUR,,,0.00,\n", "", "no opening balance"),
        ("closing,,,,,,2026-10-31,EUR,,,97.85,\n", "", "no closing balance in EUR"),
        ("opening,,", "opening,,,,,,2026-10-01,EUR,,,0.00,\nopening,,", "second opening balance"),
        ("100.00", "NaN", "not an amount|finer"),
        ("100.00", "9" * 30, "too large|net"),
    ],
)
def test_a_bad_file_is_refused_with_line_and_column(old, new, message):
    assert old in GOOD
    with pytest.raises(BadFile, match=message):
        read_all(PlainReader(io.BytesIO(GOOD.replace(old, new, 1).encode())))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00garbage", b"not,a,report\n1,2,3\n", b'record,"unclosed'])
def test_what_is_no_report_at_all_is_refused(content):
    with pytest.raises(BadFile):
        read_all(PlainReader(io.BytesIO(content)))

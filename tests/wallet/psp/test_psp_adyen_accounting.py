"""The accounting report of Adyen's balance platform: read, proved, and matched with the transfers that we sent."""

import datetime as dt
import io
from decimal import Decimal

import httpx
import pytest
from django.db import IntegrityError, transaction

from crm import approvals
from sandbox.psp.dialects.adyen_transfers import BALANCE_ACCOUNT
from tests.wallet.psp.test_psp_adyen_transfers import approved, bodies, finish, outside  # noqa: F401 (its fixture)
from tests.wallet.recon import FIRST, movement
from tests.wallet.reports import read_all
from wallet.choices.reconciliation import BreakKind, RowType
from wallet.choices.withdrawals import FindingKind, WithdrawalState
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Break, Match, PayoutFinding, SettlementImport
from wallet.movements.psp_records import PspRecords
from wallet.psp import adapter_of
from wallet.psp.adyen.accounting_report import AccountingReader, is_accounting_report
from wallet.psp.adyen.report import AdyenReader
from wallet.psp.settlement import BadFile
from wallet.reconciliation.report_expectations import spans_of
from wallet.reconciliation.settlement_import import import_report
from wallet.withdrawals import investigations, sending

ACCOUNT = "BA00000000000000000000001"
# As in the examples of Adyen's pages, with the columns behind `Description` left away.
HEADER = (
    "BalancePlatform,AccountHolder,BalanceAccount,Transfer Id,Transaction Id,Category,Status,Type,Booking Date,"
    "Booking Date TimeZone,Value Date,Value Date TimeZone,Currency,Amount,Original Currency,Original Amount,Payment Currency,"
    "Received (PC),Reserved (PC),Balance (PC),Reference,Description\n"
)


def step(
    status: str,
    moves: str,
    *,
    transfer: str = "3JY1Y65VWIRGUETT",
    transaction: str = "",
    category: str = "bank",
    type: str = "bankTransfer",
    at: str = "2026-10-05 13:30:18,CEST",
    amount: str = "99.99",
    currency: str = "EUR",
    reference: str = "W-1",
    account: str = ACCOUNT,
) -> str:
    value = at if transaction else ","
    return (
        f"Platform,AH1,{account},{transfer},{transaction},{category},{status},{type},{at},{value},{currency},{amount},"
        f"{currency},{amount},{currency},{moves},{reference},\n"
    )


RECEIVED = step("received", "-99.99,0,0")
AUTHORISED = step("authorised", "99.99,-99.99,0")
BOOKED = step("booked", "0,99.99,-99.99", transaction="T1")
RETURNED = step("returned", "0,0,99.99", transaction="T2", at="2026-10-06 00:30:00,CEST")
PAID = RECEIVED + AUTHORISED + BOOKED


def reader(text: str, *, header: str = HEADER, account: str = ACCOUNT) -> AccountingReader:
    content = (header + text).encode()
    return AccountingReader(io.BytesIO(content), content[:1000], balance_account=account)


# Read and proved


def test_only_what_moves_the_balance_is_a_row_and_the_other_steps_are_counted():
    report = read_all(reader(PAID))
    assert report.left_out == 2 and report.closing == {"EUR": -9_999}
    (row,) = report.rows
    assert (row.line, row.type, row.gross_minor, row.fee_minor) == (4, RowType.PAYOUT, -9_999, 0)
    assert (row.psp_reference, row.merchant_reference, row.entry_reference) == ("3JY1Y65VWIRGUETT", "W-1", "T1")
    assert row.booked_at == row.value_at == dt.datetime(2026, 10, 5, 11, 30, 18, tzinfo=dt.UTC)


def test_what_came_back_is_a_payout_upwards_tied_by_our_reference_on_the_report_s_own_day():
    report = read_all(reader(PAID + RETURNED))
    back = report.rows[1]
    assert (back.type, back.gross_minor, back.merchant_reference) == (RowType.PAYOUT, 9_999, "W-1")
    assert (back.psp_reference, back.original_reference, back.entry_reference) == ("", "3JY1Y65VWIRGUETT", "T2")
    assert (report.first_day, report.last_day) == (dt.date(2026, 10, 5), dt.date(2026, 10, 6))
    assert back.booked_at == dt.datetime(2026, 10, 5, 22, 30, tzinfo=dt.UTC)
    assert report.closing == {"EUR": 0}


@pytest.mark.parametrize(
    ("row", "kind", "minor"),
    [
        (step("fee", "0,0,-0.25", transaction="F", category="internal", type="fee", amount="0.25"), RowType.FEE, -25),
        (step("booked", "0,0,-12", transaction="F", category="internal", type="invoiceDeduction"), RowType.FEE, -1_200),
        (
            step("booked", "0,0,-7", transaction="F", category="internal", type="reserveAdjustment"),
            RowType.RESERVE,
            -700,
        ),
        (step("booked", "0,0,99.99", transaction="F", reference=""), RowType.MERCHANT_PAYOUT, 9_999),
        (
            step("booked", "0,0,-5", transaction="F", category="internal", type="internalTransfer"),
            RowType.ADJUSTMENT,
            -500,
        ),
        (step("booked", "0,0,5", transaction="F", category="topUp", type="payment"), RowType.ADJUSTMENT, 500),
    ],
    ids=["fee", "invoice", "reserve", "from our bank", "between accounts", "top-up"],
)
def test_what_else_moves_the_balance_has_its_kind(row, kind, minor):
    report = read_all(reader(PAID + row))
    assert [(one.type, one.net_minor) for one in report.rows[1:]] == [(kind, minor)]


def test_payments_and_other_balance_accounts_are_left_out_and_counted():
    payment = step("captured", "0,-5,5", transaction="P1", category="platformPayment", type="capture")
    foreign = step("booked", "0,0,-4", transaction="X", account="BA2", currency="USD")
    report = read_all(reader(PAID + payment + foreign))
    assert (len(report.rows), report.left_out, report.closing) == (1, 4, {"EUR": -9_999, "USD": 0})


def test_a_transfer_that_fails_or_is_under_way_moves_nothing_and_holds():
    failed = step("failed", "0,99.99,0", transfer="B").join(
        [RECEIVED.replace("3JY1Y65VWIRGUETT", "B") + AUTHORISED.replace("3JY1Y65VWIRGUETT", "B"), ""]
    )
    refused = RECEIVED.replace("3JY1Y65VWIRGUETT", "C") + step("refused", "99.99,0,0", transfer="C")
    pending = RECEIVED.replace("3JY1Y65VWIRGUETT", "D") + AUTHORISED.replace("3JY1Y65VWIRGUETT", "D")
    assert len(read_all(reader(PAID + failed + refused + pending)).rows) == 1
    assert len(read_all(reader(BOOKED)).rows) == 1, "it began in the report of the day before"
    assert len(read_all(reader(BOOKED + AUTHORISED + RECEIVED)).rows) == 1, "in whatever order"


def test_columns_are_found_by_name_whatever_their_order_case_and_spaces_and_tabs_are_read_too():
    odd = HEADER.replace("Received (PC),Reserved (PC),Balance (PC)", "Received(PC),Reserved(PC),Balance(PC)")
    odd = odd.replace("Booking Date TimeZone", "Booking date TimeZone")
    assert len(read_all(reader(PAID, header=odd)).rows) == 1
    tabbed = (HEADER + PAID).replace(",", "\t")
    assert len(read_all(reader(tabbed, header="")).rows) == 1
    days = PAID + HEADER + PAID.replace("T1", "T9").replace("3JY1Y65VWIRGUETT", "E")
    assert len(read_all(reader(days)).rows) == 2, "several days, each under its header"


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ("0,99.99,-99.99", "0,99.99,-99.98", "Line 4, column “Balance (PC)”: the balance doesn't change by the amount"),
        ("0,99.99,-99.99", "0,99.99,0", "Line 4, column “Balance (PC)”: the balance doesn't change by the amount"),
        (
            "0,99.99,-99.99",
            "0,99.00,-99.99",
            "column “Reserved (PC)”: transfer 3JY1Y65VWIRGUETT does not add up: −€0.99 are left",
        ),
        (AUTHORISED, "", "column “Received (PC)”: transfer 3JY1Y65VWIRGUETT does not add up: −€99.99 are left"),
        (",T1,", ",,", "Line 4, column “Transaction Id”: the value is missing"),
        ("3JY1Y65VWIRGUETT", "", "Line 2, column “Transfer Id”: the value is missing"),
        ("bank,booked", "bank,pending", "Line 4, column “Status”: “pending” is not a known state"),
        ("bank,booked", "bonk,booked", "Line 4, column “Category”: “bonk” is not a known type"),
        ("-99.99,0,0", "-99.999,0,0", "Line 2, column “Received (PC)”: “-99.999” has too many decimal"),
        ("99.99,EUR,-99.99", "99.99,eur,-99.99", "Line 2, column “Payment Currency”: “eur” isn't a currency code"),
        ("2026-10-05 13:30:18", "yesterday", "Line 2, column “Booking Date”: “yesterday”"),
        ("CEST", "Mars", "Line 2, column “Booking Date TimeZone”: “Mars”"),
        ("W-1,\n", "W-1\n", "Line 2, column “—”: the row has more or fewer fields"),
        ("Reserved (PC),", "Reserved,", "Line 1: these columns are missing: Reserved (PC)"),
        (ACCOUNT, "BA2", ""),
    ],
)
def test_a_report_that_does_not_hold_is_refused_with_line_and_column(changed, to, words):
    text = HEADER + PAID
    assert changed in text
    if not words:  # all rows are another account's
        text, words = text.replace(changed, to), f"no rows for balance account {ACCOUNT}"
    with pytest.raises(BadFile) as refused:
        read_all(reader(text.replace(changed, to, 1), header=""))
    assert words in refused.value.message


def test_without_a_balance_account_we_can_t_know_which_rows_are_ours():
    with pytest.raises(BadFile, match="Enter the balance account"):
        read_all(reader(PAID, account=""))


def test_a_day_on_which_no_money_moved_is_refused_as_empty():
    with pytest.raises(BadFile, match="no rows"):
        read_all(reader(RECEIVED))


# Imported

with_books = pytest.mark.django_db


def fetched(outside) -> bytes:
    today = dt.datetime.now(dt.UTC).date()
    period = f"from={today - dt.timedelta(days=1)}&to={today + dt.timedelta(days=1)}"
    return httpx.get(f"{outside.psp.base_url}/accounting?{period}").content


def sent(cast, outside, key: str, amount: int, *, wait: int = 3):
    withdrawal = approved(cast, outside, amount=amount, key=key)
    sending.send_payout(withdrawal.pk)
    finish(outside)
    outside.deliver(wait_for=wait)
    withdrawal.refresh_from_db()
    return withdrawal


@with_books
def test_the_adapter_tells_the_two_reports_of_adyen_apart(outside):
    adapter, records = adapter_of(outside.psp), PspRecords(outside.psp)
    assert isinstance(adapter.read_settlement(io.BytesIO(fetched(outside)), records), AccountingReader)
    assert isinstance(adapter.read_settlement(io.BytesIO(b"Company Account,Merchant Account\n"), records), AdyenReader)
    assert isinstance(adapter.read_settlement(io.BytesIO(b""), records), AdyenReader)
    assert is_accounting_report(("\ufeff" + HEADER).encode()) and not is_accounting_report(b"\xff\xfe\x00")


@with_books
def test_every_transfer_that_was_sent_is_found_in_the_imported_report(cast, outside):
    paid = sent(cast, outside, "a", 200)
    returned = sent(cast, outside, "b", 150)
    outside.running.fault("payout_fail", "counterpartyAccountBlocked", psp="adyen")
    failed = sent(cast, outside, "c", 120)
    assert (paid.state, failed.state) == (WithdrawalState.SETTLED, WithdrawalState.FAILED)
    outside.running.control(f"adyen/transfers/{returned.reference}/return")
    outside.deliver(wait_for=1)
    number = next(one for one in bodies(outside) if one["data"]["status"] == "returned")["data"]["events"][-1]["id"]
    finding = investigations.propose_outcome(
        withdrawal_id=returned.pk,
        kind=FindingKind.CAME_BACK,
        psp_reference=number,
        reason="The account is closed",
        actor=cast.finance,
    )
    approvals.approve(PayoutFinding, finding.pk, actor=cast.second_finance)
    report = import_report(
        psp_id=outside.psp.pk, file_name="b.csv", content=fetched(outside), actor=cast.finance, is_complete=True
    )
    assert (report.format, report.matched, report.breaks_found) == ("Adyen balance platform", 3, 0)
    assert not Break.objects.exists() and Match.objects.filter(leg="psp").count() == 3
    assert report.totals["EUR"]["closing"] == -20_000 and report.totals["EUR"]["left_out"] == 7
    assert verify().holds


@with_books
def test_a_transfer_that_is_not_in_the_report_and_one_that_is_not_in_our_books_are_breaks(cast, outside):
    withdrawal = sent(cast, outside, "a", 200)
    now = dt.datetime.now(dt.UTC)
    text = fetched(outside).decode().replace(withdrawal.reference, "W-9").replace(withdrawal.psp_reference, "STRANGE")
    header, received, authorised, booked = text.splitlines()
    day = received.split(",")[8][:10]
    received = received.replace(day, str(now.date() - dt.timedelta(days=1)))  # the report begins the day before …
    later = (now + dt.timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S,UTC")  # … and reaches past our transfer
    booked = booked.replace(",".join(booked.split(",")[8:10]), later)
    content = "\n".join((header, received, authorised, booked)).encode()
    report = import_report(
        psp_id=outside.psp.pk, file_name="s.csv", content=content, actor=cast.finance, is_complete=True
    )
    found = Break.objects.order_by("difference_minor").values_list("kind", "difference_minor")
    assert list(found) == [(BreakKind.MISSING_HERE, -20_000), (BreakKind.MISSING_THERE, 20_000)]
    assert report.matched == 0
    import_report(
        psp_id=outside.psp.pk, file_name="b.csv", content=fetched(outside), actor=cast.finance, is_complete=True
    )
    assert Break.objects.filter(state="open").values_list("kind", flat=True).get() == BreakKind.MISSING_HERE


@with_books
def test_a_return_that_nobody_has_booked_yet_is_a_break_until_two_people_have(cast, outside):
    withdrawal = sent(cast, outside, "a", 200)
    outside.running.control(f"adyen/transfers/{withdrawal.reference}/return")
    outside.deliver(wait_for=1)
    report = import_report(
        psp_id=outside.psp.pk, file_name="r.csv", content=fetched(outside), actor=cast.finance, is_complete=True
    )
    found = Break.objects.get()
    assert (report.matched, found.kind, found.row.gross_minor) == (1, BreakKind.MISSING_HERE, 20_000)


@with_books
def test_a_transaction_that_stands_twice_is_refused(cast, outside):
    sent(cast, outside, "a", 200)
    content = fetched(outside)
    booked = next(line for line in content.decode().splitlines() if ",booked," in line)
    with pytest.raises(BadFile, match=r"Line 5, column “Transaction Id”: the same transaction is already on line 4"):
        import_report(
            psp_id=outside.psp.pk, file_name="t.csv", content=content + booked.encode() + b"\n", actor=cast.finance
        )
    assert not SettlementImport.objects.exists()


@with_books
def test_it_lacks_no_card_payment_and_stands_for_no_day_of_the_other_report(cast, outside):
    sent(cast, outside, "a", 200)
    today = (dt.datetime.now(dt.UTC).date() - FIRST).days + 1
    movement(outside.psp, cast.client, "D-1", 50_000, day=today, hour=0)
    report = import_report(
        psp_id=outside.psp.pk, file_name="b.csv", content=fetched(outside), actor=cast.finance, is_complete=True
    )
    assert (report.covers, report.matched, report.breaks_found) == (["payout"], 1, 0)
    settlement, accounting = adapter_of(outside.psp).report_kinds()
    assert (spans_of(outside.psp, settlement), len(spans_of(outside.psp, accounting))) == ([], 1)
    with pytest.raises(IntegrityError, match="report_covers_kinds_of_movements"), transaction.atomic():
        SettlementImport.objects.filter(pk=report.pk).update(covers=["weather"])


@with_books
def test_fees_of_the_report_are_booked_as_fees(cast, outside):
    sent(cast, outside, "a", 200)
    before = posting.balance(posting.psp_clearing(outside.psp, "EUR"))
    text = fetched(outside).decode()
    booked = next(line for line in text.splitlines() if ",booked," in line).split(",")
    names = text.splitlines()[0].split(",")
    fee = dict(zip(names, booked, strict=True)) | {
        "Transfer Id": "FEE1",
        "Transaction Id": "FEE1T",
        "Category": "internal",
        "Status": "fee",
        "Type": "fee",
        "Amount": "0.25",
        "Reserved (PC)": "0",
        "Balance (PC)": "-0.25",
        "Reference": "",
    }
    content = text + ",".join(fee[name] for name in names) + "\n"
    report = import_report(
        psp_id=outside.psp.pk, file_name="f.csv", content=content.encode(), actor=cast.finance, is_complete=True
    )
    assert (report.matched, report.breaks_found, report.booked["fees"]) == (1, 0, {"EUR": 25})
    assert abs(before - posting.balance(posting.psp_clearing(outside.psp, "EUR"))) == 25
    assert Decimal(report.totals["EUR"]["net"]) == -20_025 and BALANCE_ACCOUNT in text
    assert verify().holds

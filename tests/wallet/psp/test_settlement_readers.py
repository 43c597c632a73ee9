"""Readers of settlement reports: what they understand, what they prove, and how they say no. Nothing here needs a database."""

import datetime as dt
import io
import tracemalloc
from decimal import Decimal

import pytest

from tests.wallet.reports import read_all
from wallet.choices.reconciliation import RowType
from wallet.psp.adyen.report import AdyenReader
from wallet.psp.btcpay.report import BtcPayReader
from wallet.psp.paypal.report import StlReader
from wallet.psp.praxis.report import PraxisReader
from wallet.psp.settlement import BadFile, agrees_with_rate, exact_minor
from wallet.psp.settlement_csv import PlainReader
from wallet.psp.stripe.report import StripeReader


def file(text: str) -> io.BytesIO:
    return io.BytesIO(text.encode())


# ── amounts and rates ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1.05", "EUR", 105),
        ("-1.05", "EUR", -105),
        ("+1.5", "EUR", 150),
        ("1", "EUR", 100),
        (".5", "EUR", 50),
        ("12300", "JPY", 12_300),
        ("12300.0", "JPY", 12_300),
        ("1.234", "KWD", 1_234),
        ("0.00000001", "BTC", 1),
        ("0.10", "USDT", 100_000),
        ("-0.00", "EUR", 0),
        (" 7.00 ", "EUR", 700),
        ("1.050", "EUR", 105),
    ],
)
def test_an_amount_is_read_exactly_in_its_currency_s_precision(text, currency, minor):
    assert exact_minor(1, "gross", text, currency) == minor


@pytest.mark.parametrize(
    "text", ["", "-", ".", "1,00", "1_0", "1e3", "NaN", "Infinity", "١٢", "0x1", "1.2.3", "²", "9" * 30]
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(BadFile, match="Line 7, column “gross”"):
        exact_minor(7, "gross", text, "EUR")


def test_a_rate_agrees_as_exactly_as_it_is_written():
    assert agrees_with_rate(10_000, "GBP", Decimal("1.1534"), 11_534, "EUR")
    assert agrees_with_rate(10_000, "GBP", Decimal("1.1534"), 11_535, "EUR"), "half of the last digit, and a cent"
    assert not agrees_with_rate(10_000, "GBP", Decimal("1.1534"), 11_560, "EUR")
    assert not agrees_with_rate(10_000, "GBP", Decimal("1.1534"), -11_534, "EUR")
    assert agrees_with_rate(1_000_000, "BTC", Decimal(60_000), 60_000, "EUR")
    assert agrees_with_rate(10_000, "JPY", Decimal("0.0061"), 6_123, "EUR")


# ── the plain report ─────────────────────────────────────────────────────────────────────────────────────────────────

PLAIN = """record,batch,type,psp_reference,merchant_reference,original_reference,created_at,currency,gross,fee,net,method,value_at,\
entry_reference,client_reference,paid_currency,paid_amount,rate
opening,,,,,,2026-10-01,EUR,,,0.00,,,,,,,
row,b1,payment,pay_1,D-1,,2026-10-05T10:00:00+02:00,EUR,115.34,2.00,113.34,visa,2026-10-07,e-1,c-1,GBP,100.00,1.1534
row,b1,reserve,res_1,,,2026-10-05,EUR,-10.00,0,-10.00,,,e-2,,,,
closing,,,,,,2026-10-31,EUR,,,103.34,,,,,,,
"""


def test_a_plain_report_may_say_what_the_client_paid_and_at_which_rate():
    row, reserve = read_all(PlainReader(file(PLAIN))).rows
    assert (row.paid_currency, row.paid_minor, row.rate) == ("GBP", 10_000, Decimal("1.1534"))
    assert (row.entry_reference, row.client_reference) == ("e-1", "c-1")
    assert row.value_at == dt.datetime(2026, 10, 7, tzinfo=dt.UTC)
    assert row.booked_at == dt.datetime(2026, 10, 5, 8, tzinfo=dt.UTC)
    assert (reserve.type, reserve.paid_currency, reserve.value_at) == (RowType.RESERVE, "", None)


def test_a_rate_that_does_not_lead_to_gross_is_refused():
    with pytest.raises(BadFile, match="Line 3, column “rate”"):
        read_all(PlainReader(file(PLAIN.replace("1.1534", "1.2534"))))


def test_quoted_fields_may_hold_commas_quotes_and_lines_and_the_line_is_still_right():
    text = PLAIN.replace("pay_1", '"pay ""1"", or\nso"').replace("res_1,,,2026-10-05", "res_1,,,yesterday")
    with pytest.raises(BadFile, match="Line 5, column “created_at”: “yesterday”"):
        read_all(PlainReader(file(text)))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_either_kind_of_line_ending_is_read(ending):
    assert len(read_all(PlainReader(file(PLAIN.replace("\n", ending)))).rows) == 2


def test_a_binary_file_is_refused_at_its_first_zero_byte():
    with pytest.raises(BadFile, match=r"byte 20 is zero"):
        read_all(PlainReader(io.BytesIO(PLAIN.encode()[:20] + b"\0" + PLAIN.encode())))


def test_a_column_that_stands_twice_is_refused():
    with pytest.raises(BadFile, match="Line 1, column “gross”: there are two"):
        read_all(PlainReader(file(PLAIN.replace("value_at", "gross"))))


def plain_of(count: int) -> io.BytesIO:
    out = io.BytesIO()
    out.write(
        b"record,batch,type,psp_reference,merchant_reference,original_reference,created_at,currency,gross,fee,net,method\n"
        b"opening,,,,,,2026-10-01,EUR,,,0.00,\n"
    )
    for number in range(count):
        out.write(b"row,b1,payment,pay_%d,D-%d,,2026-10-05T10:00:00Z,EUR,100.00,2.00,98.00,visa\n" % (number, number))
    out.write(b"closing,,,,,,2026-10-31,EUR,,,%d.00,\n" % (98 * count))
    out.seek(0)
    return out


def test_ten_times_the_rows_need_no_more_memory():
    peaks = []
    for count in (2_000, 20_000):
        source = plain_of(count)
        tracemalloc.start()
        assert sum(1 for _row in PlainReader(source).rows()) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 4 * 1024 * 1024


# ── Stripe ───────────────────────────────────────────────────────────────────────────────────────────────────────────

ITEMS = (
    "balance_transaction_id,created_utc,created,available_on_utc,available_on,currency,gross,fee,net,reporting_category,"
    "source_id,description,customer_facing_amount,customer_facing_currency,automatic_payout_id,payment_intent_id,"
    "payment_metadata[reference],customer_id\n"
)
CHARGE = (
    "txn_1,2026-10-05 10:00:00,2026-10-05 12:00:00,2026-10-07 00:00:00,2026-10-07 02:00:00,eur,115.34,2.00,113.34,charge,ch_1,"
    ",100.00,gbp,po_1,pi_1,D-1,cus_1\n"
)
FEE = "txn_2,2026-10-31 00:00:00,,,,eur,-3.00,0.00,-3.00,fee,,Radar,,,,,,\n"
HELD = "txn_3,2026-10-31 00:00:00,,,,eur,-20.00,0.00,-20.00,risk_reserved_funds,rsv_1,,,,,,,\n"
PAYOUTS = (
    "payout_id,effective_at_utc,currency,gross,fee,net,reporting_category,balance_transaction_id,payout_status\n"
    "po_1,2026-10-12 00:00:00,eur,-80.00,0.00,-80.00,payout,txn_4,paid\n"
)
SUMMARY = (
    "category,description,net_amount,currency\nstarting_balance,Starting balance,5.00,eur\nactivity,Activity,90.34,eur\n"
    "payouts,Payouts,-80.00,eur\nending_balance,Ending balance,15.34,eur\n"
)


def test_stripe_s_balance_change_is_proved_by_the_balances_at_both_ends():
    report = read_all(StripeReader(file(ITEMS + CHARGE + FEE + HELD + PAYOUTS + SUMMARY)))
    assert (report.opening, report.closing) == ({"EUR": 500}, {"EUR": 1_534})
    charge, fee, held, payout = report.rows
    assert (charge.type, charge.psp_reference, charge.merchant_reference) == (RowType.PAYMENT, "pi_1", "D-1")
    assert (charge.entry_reference, charge.client_reference, charge.batch) == ("txn_1", "cus_1", "po_1")
    assert (charge.paid_currency, charge.paid_minor, charge.rate) == ("GBP", 10_000, None)
    assert charge.booked_at.hour == 10, "the time in UTC, not the account's"
    assert charge.value_at == dt.datetime(2026, 10, 7, tzinfo=dt.UTC)
    assert (fee.type, fee.psp_reference, held.type) == (RowType.FEE, "txn_2", RowType.RESERVE)
    assert (payout.type, payout.batch, payout.net_minor) == (RowType.MERCHANT_PAYOUT, "po_1", -8_000)


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ("Ending balance,15.34", "Ending balance,15.35", "does not add up in EUR"),
        (PAYOUTS, "", "does not add up in EUR"),
        (CHARGE, "", "does not add up in EUR"),
        (
            "starting_balance,Starting balance,5.00,eur\n",
            "starting_balance,Starting balance,5.00,eur\n" * 2,
            "a second",
        ),
        ("2026-10-12 00:00:00", "soon", "Line 6, column “effective_at_utc”"),
        (
            "-80.00,0.00,-80.00,payout",
            "-80.00,0.00,-80.00,charge",
            "Line 6, column “reporting_category”: expected a payout",
        ),
        ("net_amount,currency", "net,currency", "Line 7: these columns are missing: net_amount"),
        ("risk_reserved_funds", "weather", "Line 4, column “reporting_category”: “weather”"),
    ],
)
def test_a_balance_change_that_does_not_hold_is_refused(changed, to, words):
    text = ITEMS + CHARGE + FEE + HELD + PAYOUTS + SUMMARY
    assert changed in text
    with pytest.raises(BadFile) as refused:
        read_all(StripeReader(file(text.replace(changed, to, 1))))
    assert words in refused.value.message


RECONCILED = (
    "automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created,currency,gross,fee,net,"
    "reporting_category,source_id\n"
    "po_1,2026-10-12 00:00:00,txn_1,2026-10-05 10:00:00,eur,100.00,2.00,98.00,charge,ch_1\n"
    "po_1,2026-10-12 00:00:00,txn_2,2026-10-06 10:00:00,eur,-8.00,0.00,-8.00,refund,re_1\n"
)
LEFT = ITEMS + "txn_9,2026-10-30 10:00:00,,,,eur,50.00,1.00,49.00,charge,ch_9,,,,,pi_9,D-9,\n"


def test_stripe_s_payouts_and_what_was_left_are_the_ending_balance():
    ending = "category,description,net_amount,currency\nending_balance,Ending balance,49.00,eur\n"
    report = read_all(StripeReader(file(RECONCILED + LEFT + ending)))
    assert [row.type for row in report.rows] == ["payment", "refund", "payment", "merchant_payout"]
    assert (report.rows[-1].net_minor, report.rows[-1].booked_at.day) == (-9_000, 12)
    assert (report.opening, report.closing) == ({"EUR": 0}, {"EUR": 4_900})
    with pytest.raises(
        BadFile, match=r"column “net_amount”: .* in EUR: opening and rows give €49\.00, closing says €50\.00"
    ):
        read_all(StripeReader(file(RECONCILED + LEFT + ending.replace("49.00", "50.00"))))


# ── Adyen ────────────────────────────────────────────────────────────────────────────────────────────────────────────

ADYEN_HEADER = (
    "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,"
    "Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),"
    "Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),Payment Method Variant,"
    "Modification Merchant Reference,Batch Number,Reserved4,Reserved5\n"
)


def adyen(*rows: str, header: str = ADYEN_HEADER) -> AdyenReader:
    return AdyenReader(file(header + "".join(f"Co,Shop,{row}\n" for row in rows)), merchant="Shop")


CONVERTED = "8835,D-1,visa,2026-10-05 10:00:00,CEST,Settled,,GBP,,100.00,1.1534,EUR,,113.84,0.50,,0.40,0.60,visa,,118,,"


def test_an_adyen_batch_with_every_kind_of_row_adds_up():
    report = read_all(
        adyen(
            CONVERTED,
            "8835,D-1,visa,2026-10-06 10:00:00,CEST,Refunded,9901,EUR,5.00,,1,EUR,5.10,,0.10,,,,visa,W-1,118,,",
            "8835,D-1,visa,2026-10-06 10:00:00,CEST,RefundedReversed,9902,EUR,,5.00,1,EUR,,5.00,,,,,visa,,118,,",
            "8836,D-2,mc,2026-10-06 10:00:00,CEST,Chargeback,9903,EUR,20.00,,1,EUR,35.00,,15.00,,,,mc,,118,,",
            "8836,D-2,mc,2026-10-07 10:00:00,CEST,SecondChargeback,9904,EUR,1.00,,1,EUR,1.00,,,,,,mc,,118,,",
            "8836,D-2,mc,2026-10-07 10:00:00,CEST,ChargebackReversed,9905,EUR,,20.00,1,EUR,,20.00,,,,,mc,,118,,",
            "8840,W-9,visa,2026-10-07 10:00:00,CEST,PaidOut,,EUR,10.00,,1,EUR,10.30,,0.30,,,,visa,,118,,",
            "8840,W-9,visa,2026-10-07 10:00:00,CEST,PaidOutReversed,,EUR,,10.00,1,EUR,,10.00,,,,,visa,,118,,",
            ",,,2026-10-08 01:00:00,CEST,Fee,Transaction Fees October,,,,,EUR,2.00,,,,,,,,118,,",
            ",,,2026-10-08 01:00:00,CEST,InvoiceDeduction,,,,,,EUR,1.00,,,,,,,,118,,",
            ",,,2026-10-08 01:00:00,CEST,PaymentCost,,,,,,EUR,0.44,,,,,,,,118,,",
            ",Deposit,,2026-10-08 02:00:00,CEST,DepositCorrection,,,,,,EUR,30.00,,,,,,,,118,,",
            ",,,2026-10-08 02:00:00,CEST,ManualCorrected,,,,,,EUR,,6.00,,,,,,,118,,",
            ",,,2026-10-08 03:00:00,CEST,MerchantPayout,TX118,,,,,EUR,70.00,,,,,,,,118,,",
        )
    )
    assert report.closing == {"EUR": 0}
    first = report.rows[0]
    assert (first.gross_minor, first.fee_minor, first.net_minor) == (11_534, 150, 11_384)
    assert (first.currency, first.paid_currency, first.paid_minor, first.rate) == (
        "EUR",
        "GBP",
        10_000,
        Decimal("1.1534"),
    )
    assert first.booked_at == dt.datetime(2026, 10, 5, 8, tzinfo=dt.UTC)
    assert [row.type for row in report.rows] == [
        "payment",
        "refund",
        "refund",
        "chargeback",
        "chargeback",
        "chargeback_reversed",
        "payout",
        "payout",
        "fee",
        "fee",
        "fee",
        "reserve",
        "adjustment",
        "merchant_payout",
    ]
    assert {row.batch for row in report.rows} == {"118"}
    assert (report.rows[1].psp_reference, report.rows[1].merchant_reference) == ("9901", "W-1")
    assert [row.psp_reference for row in report.rows[8:11]] == [
        "Transaction Fees October",
        "InvoiceDeduction 118",
        "PaymentCost 118",
    ]


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ("1.1534", "1.2534", "column “Exchange Rate”: gross at this rate"),
        ("1.1534", "", "column “Exchange Rate”: “” is not an exchange rate"),
        ("1.1534", "-1", "column “Exchange Rate”: “-1” is not an exchange rate"),
        ("GBP,,100.00", "gbp,,100.00", "column “Gross Currency”: “gbp”"),
        ("8835", "", "column “Psp Reference”: the value is missing"),
        (",118,,", ",118,,,", "more or fewer fields"),
    ],
)
def test_a_converted_adyen_row_that_does_not_hold_is_refused(changed, to, words):
    assert changed in CONVERTED
    with pytest.raises(BadFile) as refused:
        read_all(adyen(CONVERTED.replace(changed, to, 1)))
    assert words in refused.value.message and "Line 2" in refused.value.message


def test_columns_that_an_account_added_are_found_by_their_name():
    header = ADYEN_HEADER.replace("Payment Method Variant,", "Booking Date,Payment Method Variant,")
    row = CONVERTED.replace("visa,,118", "2026-10-08,visa,,118")
    assert read_all(adyen(row, header=header)).rows[0].batch == "118"


def test_reports_of_several_batches_follow_one_another():
    other = CONVERTED.replace(",118,", ",119,")
    text = ADYEN_HEADER + f"Co,Shop,{CONVERTED}\n" + ADYEN_HEADER + f"Co,Shop,{other}\n"
    assert [row.batch for row in read_all(AdyenReader(file(text), merchant="")).rows] == ["118", "119"]


# ── PayPal ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CH = (
    '"CH","Transaction ID","Invoice ID","PayPal Reference ID","PayPal Reference ID Type","Transaction Event Code",'
    '"Transaction Initiation Date","Transaction Completion Date","Transaction  Debit or Credit","Gross Transaction Amount",'
    '"Gross Transaction Currency","Fee Debit or Credit","Fee Amount","Fee Currency","Custom Field","Consumer ID",'
    '"Payment Tracking ID","Store ID","Bank Reference ID"'
)


def sb(own: str, code: str, side: str, gross: int, currency: str, fee: int = 0, bank: str = "") -> str:
    fees = f'"DR",{fee},"{currency}"' if fee else '"","",""'
    return (
        f'"SB","{own}","D-{own}","","","{code}",2026/10/05 03:00:00 -0700,2026/10/05 03:00:00 -0700,"{side}",{gross},'
        f'"{currency}",{fees},"","PAYER1","","","{bank}"'
    )


def section(account: str, day: str, rows: list[str], *footers: str) -> list[str]:
    head = f'"SH",{day} 00:00:00 -0700,{day} 23:59:59 -0700,"{account}",""'
    return [head, CH, *rows, *footers, f'"SC",{len(rows)}']


TWO_CURRENCIES = section(
    "ACC",
    "2026/10/05",
    [
        sb("1", "T0006", "CR", 10_000, "EUR", 380),
        sb("2", "T0200", "DR", 5_000, "EUR"),
        sb("3", "T0200", "CR", 800_000, "JPY"),
        sb("4", "T0400", "DR", 4_000, "EUR", bank="BANK77"),
        sb("5", "T1110", "DR", 100, "EUR"),
        sb("6", "T1116", "CR", 100, "EUR"),
    ],
    '"SF","EUR",10100,9100,0,380,"CR",700,"CR",1320,"CR",0,"CR",0',
    '"SF","JPY",800000,0,0,0,"CR",0,"CR",800000,"CR",0,"CR",0',
)


def stl(*sections: list[str], footer: tuple[str, ...] = (), part: int = 1) -> str:
    rows = [line for one in sections for line in one]
    count = sum(line.startswith('"SB"') for line in rows)
    ends = footer or (f'"RC",{count}', f'"FF",{count}')
    lines = ['"RH",2026/10/06 05:00:00 -0700,"A","ACC",009', f'"FH",{part:02d}', *rows, *ends]
    return "\ufeff" + "\r\n".join(lines) + "\r\n"


def test_a_paypal_section_has_a_footer_per_currency_and_yen_have_no_decimals():
    report = read_all(StlReader(file(stl(TWO_CURRENCIES))))
    assert report.opening == {"EUR": 700, "JPY": 0} and report.closing == {"EUR": 1_320, "JPY": 800_000}
    assert [row.type for row in report.rows] == [
        "payment",
        "conversion",
        "conversion",
        "merchant_payout",
        "reserve",
        "reserve",
    ]
    payment, payout = report.rows[0], report.rows[3]
    assert (payment.client_reference, payment.entry_reference) == ("PAYER1", "1:T0006")
    assert payment.booked_at == dt.datetime(2026, 10, 5, 10, tzinfo=dt.UTC)
    assert payout.batch == "BANK77", "what stands on the bank's statement"


def test_paypal_s_sections_of_an_account_follow_one_another_without_a_gap():
    next_day = section(
        "ACC",
        "2026/10/06",
        [sb("7", "T0006", "CR", 1_000, "EUR", 60)],
        '"SF","EUR",1000,0,0,60,"CR",1320,"CR",2260,"CR",0,"CR",0',
    )
    other = section("ACC2", "2026/10/05", [], '"SF","EUR",0,0,0,0,"DR",50,"DR",50,"CR",0,"CR",0')
    report = read_all(StlReader(file(stl(TWO_CURRENCIES, next_day, other))))
    assert (report.opening["EUR"], report.closing["EUR"]) == (650, 2_210)
    assert (report.first_day, report.last_day) == (dt.date(2026, 10, 5), dt.date(2026, 10, 6))
    gap = [line.replace('"CR",1320,"CR",2260', '"CR",1321,"CR",2261') for line in next_day]
    with pytest.raises(
        BadFile, match=r"column “SF 7”: it doesn't start where the previous section ended \(€13\.20, then €13\.21\)"
    ):
        read_all(StlReader(file(stl(TWO_CURRENCIES, gap))))


def test_paypal_s_reports_and_parts_may_stand_in_one_file():
    second = section(
        "ACC",
        "2026/10/06",
        [sb("7", "T0006", "CR", 1_000, "EUR")],
        '"SF","EUR",1000,0,0,0,"CR",1320,"CR",2320,"CR",0,"CR",0',
    )
    parts = stl(TWO_CURRENCIES, footer=('"FF",6',)) + stl(second, footer=('"RC",7', '"FF",1'), part=2).removeprefix(
        "\ufeff"
    )
    assert len(read_all(StlReader(file(parts))).rows) == 7
    days = stl(TWO_CURRENCIES) + stl(second).removeprefix("\ufeff")
    assert len(read_all(StlReader(file(days))).rows) == 7
    assert len(read_all(StlReader(file(stl(second, footer=('"RC",7', '"FF",1'), part=2)))).rows) == 1, (
        "a last part alone"
    )


@pytest.mark.parametrize(
    ("footer", "words"),
    [
        (('"RC",5', '"FF",6'), "column “RC”: the report announces 5 rows but contains 6"),
        (('"RC",6', '"FF",5'), "column “FF”: the report announces 5 rows but contains 6"),
        (
            ('"RF","EUR",10100,9100,0,381,"CR",700', '"FF",6'),
            "column “RF 5”: the rows add up to €3.80, the footer says €3.81",
        ),
        (('"FF",6',), "ends before its footer"),
    ],
)
def test_paypal_s_counts_and_totals_must_hold(footer, words):
    with pytest.raises(BadFile) as refused:
        read_all(StlReader(file(stl(TWO_CURRENCIES, footer=footer))))
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ('"SF","JPY",800000,0,0,0,"CR",0,"CR",800000,"CR",0,"CR",0\r\n', "", "the section has no footer in JPY"),
        ('"SF","JPY"', '"SF","EUR"', "column “SF 1”: a second footer"),
        ('"SC",6', '"SC",7', "column “SC”: the report announces 7 rows"),
        (
            "2026/10/05 03:00:00 -0700,2026/10/05 03:00:00 -0700",
            "2026/10/05 03:00:00 -0700,2026-10-05 03:00",
            "is not a time",
        ),
        ('"SC",6\r\n', "", "the previous section has no end"),
        ('"CR",700', '"XX",700', "column “SF 6”: expected CR or DR"),
        (',380,"EUR"', ',380,"USD"', "column “Fee Currency”"),
    ],
)
def test_a_paypal_section_that_does_not_hold_is_refused(changed, to, words):
    text = stl(TWO_CURRENCIES)
    assert changed in text
    with pytest.raises(BadFile) as refused:
        read_all(StlReader(file(text.replace(changed, to, 1))))
    assert words in refused.value.message


# ── BTCPay Server ────────────────────────────────────────────────────────────────────────────────────────────────────

PAID_COINS = """Date,InvoiceId,OrderId,Category,PaymentMethodId,Confirmed,Address,PaymentCurrency,PaymentAmount,PaymentMethodFee,\
LightningAddress,InvoiceCurrency,InvoiceCurrencyAmount,Rate
2026-10-05T10:00:00Z,inv1,D-1,On-Chain,BTC-CHAIN,true,bc1q,BTC,0.00500000,0,,EUR,300.00,60000.00
2026-10-05T10:05:00Z,inv1,D-1,On-Chain,BTC-CHAIN,true,bc1q,BTC,0.00333333,0,,EUR,200.00,60000.00
2026-10-05T11:00:00Z,inv2,D-2,On-Chain,BTC-CHAIN,false,bc1q,BTC,0.01,0,,EUR,600.00,60000.00
"""
SENT_COINS = """Date,Source,State,PaymentType,Crypto,CryptoAmount,Currency,CurrencyAmount,Destination
2026-10-06T10:00:00Z,W-1,Completed,On-Chain,BTC,0.001,EUR,60.00,bc1q
2026-10-06T10:00:00Z,W-2,Completed,On-Chain,BTC,0.002,EUR,120.00,bc1q
2026-10-06T10:00:00Z,W-3,AwaitingPayment,On-Chain,BTC,,EUR,10.00,bc1q
"""


def btcpay(text: str) -> BtcPayReader:
    return BtcPayReader(file(text), refunds_among=lambda references: {"W-2"} & set(references))


def test_btcpay_s_lists_are_booked_in_the_invoice_s_currency_with_the_coins_beside():
    report = read_all(btcpay(PAID_COINS + SENT_COINS))
    assert [(row.type, row.gross_minor) for row in report.rows] == [
        ("payment", 30_000),
        ("payment", 20_000),
        ("payout", -6_000),
        ("refund", -12_000),
    ]
    first = report.rows[0]
    assert (first.psp_reference, first.merchant_reference, first.currency) == ("inv1", "D-1", "EUR")
    assert (first.paid_currency, first.paid_minor, first.rate) == ("BTC", 500_000, Decimal("60000.00"))
    assert report.rows[2].paid_minor == -100_000
    assert report.left_out == 2 and report.closing == {"EUR": 32_000}


def test_btcpay_s_older_column_names_are_known():
    older = PAID_COINS.replace("PaymentCurrency,PaymentAmount", "Crypto,CryptoAmount").replace(
        "InvoiceCurrency,InvoiceCurrencyAmount", "Currency,CurrencyAmount"
    )
    assert len(read_all(btcpay(older)).rows) == 2


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ("0.00500000", "0.00600000", "Line 2, column “Rate”: the coins at this rate"),
        ("true", "maybe", "Line 2, column “Confirmed”"),
        ("inv1", "", "Line 2, column “InvoiceId”"),
        ("300.00", "300,00", "Line 2"),
        ("Completed", "Sent", "Line 6, column “State”"),
        ("2026-10-06T10:00:00Z", "last week", "Line 6, column “Date”"),
        ("Rate\n", "Curse\n", "these columns are missing: Rate"),
    ],
)
def test_a_list_of_btcpay_that_does_not_hold_is_refused(changed, to, words):
    text = PAID_COINS + SENT_COINS
    assert changed in text
    with pytest.raises(BadFile) as refused:
        read_all(btcpay(text.replace(changed, to, 1)))
    assert words in refused.value.message


# ── the cashier ──────────────────────────────────────────────────────────────────────────────────────────────────────

CASHIER = """tid,order_id,cid,transaction_type,transaction_status,created_timestamp,updated_timestamp,currency,amount,\
conversion_rate,processed_currency,processed_amount,fee,original_tid,settlement_id
101,D-1,c-1,sale,approved,1759658400,,EUR,10000,4.2580,PLN,42580,330,,s-1
102,D-2,c-2,sale,chargeback,1759658400,1759831200,PLN,5000,1,PLN,5000,170,,s-1
103,D-3,c-3,sale,rejected,1759658400,,PLN,5000,,,,,,
104,W-1,c-1,payout,approved,1759744800,,PLN,2000,1,PLN,2000,200,,s-1
105,W-2,c-1,refund,approved,1759744800,,PLN,1000,1,PLN,1000,0,101,s-1
106,W-3,c-1,payout,reversed,1759744800,1759831200,PLN,700,1,PLN,700,0,,s-1
s-1,,,settlement,approved,1759831200,,PLN,30000,1,PLN,30000,0,,s-1
6,,,total,,,,,,,PLN,13880,700,,
"""


def test_the_cashier_s_list_counts_what_was_processed_and_what_was_taken_back():
    report = read_all(PraxisReader(file(CASHIER)))
    assert [(row.line, row.type, row.gross_minor) for row in report.rows] == [
        (2, "payment", 42_580),
        (3, "payment", 5_000),
        (5, "payout", -2_000),
        (6, "refund", -1_000),
        (7, "payout", -700),
        (8, "merchant_payout", -30_000),
        (10, "chargeback", -5_000),
        (11, "payout", 700),
    ]
    first, taken_back = report.rows[0], report.rows[6]
    assert (first.currency, first.paid_currency, first.paid_minor, first.rate) == (
        "PLN",
        "EUR",
        10_000,
        Decimal("4.2580"),
    )
    assert (taken_back.original_reference, taken_back.fee_minor, taken_back.booked_at.day) == ("102", 0, 7)
    assert report.rows[3].original_reference == "101" and report.left_out == 1
    assert report.closing == {"PLN": 13_880 - 700 - 5_000 + 700}


def test_the_cashier_s_older_names_of_what_was_charged_are_known():
    assert len(read_all(PraxisReader(file(CASHIER.replace("processed_", "charge_")))).rows) == 8


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ("4.2580", "4.3580", "Line 2, column “conversion_rate”"),
        (",42580,330", ",42580.5,330", "Line 2, column “processed_amount”: “42580.5” is not a whole number"),
        (
            "total,,,,,,,PLN,13880",
            "total,,,,,,,PLN,13881",
            "Line 9, column “processed_amount”: the total is PLN\xa0138.81, but the rows",
        ),
        ("6,,,total", "7,,,total", "Line 9, column “tid”: the total is 7, but the rows add up to 6"),
        ("sale,chargeback", "sale,vanished", "Line 3, column “transaction_status”: “vanished”"),
        ("refund,approved", "gift,approved", "Line 6, column “transaction_type”: “gift”"),
        ("1759658400", "05.10.2026", "Line 2, column “created_timestamp”"),
        ("101,D-1", ",D-1", "Line 2, column “tid”: the value is missing"),
        ("PLN,42580", "pln,42580", "Line 2, column “processed_currency”"),
        ("total,,,,,,,PLN", "total,,,,,,,EUR", "There is no total for PLN"),
        ("order_id", "order", "these columns are missing: order_id"),
    ],
)
def test_a_list_of_the_cashier_that_does_not_hold_is_refused(changed, to, words):
    assert changed in CASHIER
    with pytest.raises(BadFile) as refused:
        read_all(PraxisReader(file(CASHIER.replace(changed, to, 1))))
    assert words in refused.value.message


@pytest.mark.parametrize(
    "reader",
    [
        StripeReader,
        StlReader,
        PraxisReader,
        PlainReader,
        lambda source: BtcPayReader(source, refunds_among=set),
        lambda source: AdyenReader(source, merchant=""),
    ],
    ids=["stripe", "paypal", "cashier", "plain", "btcpay", "adyen"],
)
@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xff\xfe\x01", b"PK\x03\x04\x00\x00", b'"unclosed', b"a;b;c\n1;2;3\n"]
)
def test_what_is_no_report_at_all_is_refused_in_words(reader, content):
    with pytest.raises(BadFile, match=r"imported|shorter"):
        read_all(reader(io.BytesIO(content)))

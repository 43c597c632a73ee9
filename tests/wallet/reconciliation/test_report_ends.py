"""A PSP's report that was cut off at a line's end is refused, or waits until a person confirms that it's complete."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent
from tests.wallet.factories import make_psp
from tests.wallet.psp.test_settlement_readers import PLAIN
from tests.wallet.reports import read_all
from wallet.choices.reconciliation import WaitingState
from wallet.models import ReportToConfirm, SettlementImport
from wallet.psp.adyen.accounting_report import AccountingReader
from wallet.psp.adyen.report import ALL, AdyenReader
from wallet.psp.btcpay.report import BtcPayReader
from wallet.psp.praxis.report import PraxisReader
from wallet.psp.settlement import BadFile, EndUnknown, SettlementReader
from wallet.psp.settlement_csv import PlainReader
from wallet.psp.stripe.report import StripeReader
from wallet.reconciliation.report_confirmations import confirm_report, discard_report
from wallet.reconciliation.settlement_import import ORIGINALS, import_report

STRIPE = """balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id
txn_1,2026-10-01 10:00:00,eur,100.00,2.00,98.00,charge,ch_1
txn_2,2026-10-02 10:00:00,eur,50.00,1.00,49.00,charge,ch_2
category,net_amount,currency
starting_balance,10.00,eur
ending_balance,157.00,eur
"""


def adyen_row(name: str, debit: str, credit: str, reference: str) -> str:
    cells = dict.fromkeys(ALL, "")
    cells |= {
        "Company Account": "C",
        "Merchant Account": "M",
        "Psp Reference": reference,
        "Creation Date": "2026-10-01 10:00:00",
        "TimeZone": "CET",
        "Type": name,
        "Gross Currency": "EUR",
        "Net Currency": "EUR",
        "Net Debit (NC)": debit,
        "Net Credit (NC)": credit,
        "Batch Number": "7",
        "Merchant Reference": f"D-{reference}",
    }
    return ",".join(cells.values())


ADYEN = (
    "\n".join(
        [
            ",".join(ALL),
            adyen_row("Settled", "", "100.00", "p1"),
            adyen_row("Settled", "", "50.00", "p2"),
            adyen_row("MerchantPayout", "150.00", "", ""),
        ]
    )
    + "\n"
)
ACCOUNTING = """BalanceAccount,Transfer Id,Transaction Id,Category,Status,Type,Booking Date,Booking Date TimeZone,Currency,Amount,\
Payment Currency,Received (PC),Reserved (PC),Balance (PC),Reference
BA1,T1,X1,bank,booked,bankTransfer,2026-10-01 10:00:00,CET,EUR,-10.00,EUR,0,0,-10.00,W-1
BA1,T2,X2,bank,booked,bankTransfer,2026-10-02 10:00:00,CET,EUR,-20.00,EUR,0,0,-20.00,W-2
"""
BTCPAY = """Date,InvoiceId,OrderId,Confirmed,PaymentCurrency,PaymentAmount,InvoiceCurrency,InvoiceCurrencyAmount,Rate
2026-10-01T10:00:00Z,I1,D-1,true,BTC,0.00100000,EUR,60.00,60000
2026-10-02T10:00:00Z,I2,D-2,true,BTC,0.00200000,EUR,120.00,60000
"""
PRAXIS = """tid,order_id,cid,transaction_type,transaction_status,created_timestamp,currency,amount,processed_currency,\
processed_amount,fee
1,D-1,c1,sale,approved,1790000000,EUR,1000,EUR,1000,10
2,D-2,c2,sale,approved,1790000100,EUR,2000,EUR,2000,20
2,,,total,,,EUR,,EUR,3000,30
"""
READERS = {
    "plain": (PLAIN, PlainReader, True),
    "stripe": (STRIPE, StripeReader, True),
    "adyen": (ADYEN, lambda file: AdyenReader(file, merchant=""), True),
    "accounting": (ACCOUNTING, lambda file: AccountingReader(file, b",", balance_account="BA1"), False),
    "btcpay": (BTCPAY, lambda file: BtcPayReader(file, refunds_among=lambda names: set()), False),
    "praxis": (PRAXIS, PraxisReader, True),
}


def read(name: str, text: str) -> SettlementReader:
    reader: SettlementReader = READERS[name][1](io.BytesIO(text.encode()))
    read_all(reader)
    return reader


@pytest.mark.parametrize("name", READERS)
def test_every_prefix_of_a_report_is_refused_or_known_to_have_no_end(name):
    text, _reader, is_proved = READERS[name]
    whole = read(name, text)
    assert whole.is_complete is is_proved
    for length in range(1, len(text)):
        try:
            found = read(name, text[:length])
        except BadFile as error:
            assert len(error.message.splitlines()) == 1
            continue
        is_whole = {one: total.net for one, total in found.totals.items()} == {
            one: total.net for one, total in whole.totals.items()
        }
        assert not found.is_complete or (is_whole and found.row_count == whole.row_count), text[:length][-40:]


# ── a person confirms ────────────────────────────────────────────────────────────────────────────────────────────────

pytest_db = pytest.mark.django_db
CUT = STRIPE.partition("txn_2")[0].encode()


@pytest.fixture
def stripe(cast, settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path / "private"
    return make_psp(cast.brand, "cards", adapter="stripe")


def held(psp, actor) -> ReportToConfirm:
    with pytest.raises(EndUnknown, match="mark its end") as waits:
        import_report(psp_id=psp.pk, file_name="cut.csv", content=CUT, actor=actor)
    return ReportToConfirm.objects.get(pk=waits.value.waiting_id)


@pytest_db
def test_a_report_without_its_end_waits_and_nothing_is_imported(cast, stripe):
    waiting = held(stripe, cast.finance)
    assert (waiting.row_count, str(waiting.first_day), str(waiting.last_day)) == (1, "2026-10-01", "2026-10-01")
    assert waiting.totals["EUR"]["net"] == 9_800
    assert not SettlementImport.objects.exists()
    assert held(stripe, cast.finance) == waiting, "the same file waits once"
    assert len([path for path in ORIGINALS.root.rglob("*") if path.is_file()]) == 1


@pytest_db
def test_whoever_confirms_is_named(cast, stripe):
    waiting = held(stripe, cast.finance)
    report = confirm_report(waiting_id=waiting.pk, actor=cast.finance)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.report, waiting.decided_by) == (WaitingState.CONFIRMED, report, cast.finance)
    assert (report.row_count, report.rows.count(), ORIGINALS.path_of(report.stored_name).exists()) == (1, 1, True)
    assert AuditEvent.objects.get(action="wallet.report_confirmed").actor == cast.finance
    with pytest.raises(WrongState):
        confirm_report(waiting_id=waiting.pk, actor=cast.finance)


@pytest_db
@pytest.mark.parametrize("verb", [confirm_report, discard_report])
def test_somebody_without_the_right_decides_nothing(cast, stripe, verb):
    waiting = held(stripe, cast.finance)
    with pytest.raises(NotAllowed):
        verb(waiting_id=waiting.pk, actor=cast.agent)
    waiting.refresh_from_db()
    assert waiting.state == WaitingState.WAITING


@pytest_db
def test_a_discarded_report_leaves_no_file(cast, stripe, django_capture_on_commit_callbacks):
    waiting = held(stripe, cast.finance)
    with django_capture_on_commit_callbacks(execute=True):
        discard_report(waiting_id=waiting.pk, actor=cast.finance)
    assert not ORIGINALS.path_of(waiting.stored_name).exists()
    assert not SettlementImport.objects.exists()


@pytest_db
def test_the_page_shows_what_was_read_and_confirms_it(cast, stripe, browse):
    client = browse(cast.finance)
    upload = client.post(
        reverse("wallet:report_upload"), {"psp": stripe.pk, "file": SimpleUploadedFile("cut.csv", CUT)}
    )
    waiting = ReportToConfirm.objects.get()
    page = reverse("wallet:report_to_confirm", args=[waiting.pk])
    assert upload.url == page
    shown = client.get(page).content.decode()
    assert "Confirm as complete" in shown
    assert "98.00" in shown
    assert waiting.file_name in client.get(reverse("wallet:reconciliation")).content.decode()
    done = client.post(reverse("wallet:report_confirm", args=[waiting.pk]))
    assert done.url == reverse("wallet:settlement", args=[SettlementImport.objects.get().pk])
    again = client.post(reverse("wallet:report_discard", args=[waiting.pk]))
    assert again.status_code == 422

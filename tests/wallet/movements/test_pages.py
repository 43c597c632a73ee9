"""Finance's pages: what they show, to whom, in how many queries, and what their buttons do."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.models import AccessEvent, AuditEvent, Job
from tests.wallet.conftest import load_rates
from tests.wallet.factories import fund, house, make_psp
from tests.wallet.reconciliation.test_reconciliation import GOOD
from tests.wallet.withdrawals.test_withdrawal import IBAN, paid_in
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import JournalKind
from wallet.ledger import posting
from wallet.ledger.account_history import PAGE_SIZE
from wallet.ledger.posting import Entry, Line
from wallet.models import Account, Break, Deposit, Journal, Psp, SettlementImport, Transfer, WebhookMessage, Withdrawal
from wallet.withdrawals.verbs import WithdrawalRequest, approve_withdrawal, request_withdrawal

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


@pytest.fixture
def psp(cast) -> Psp:
    load_rates()
    for client in (cast.client, cast.other_client):
        client.kyc_level = 2
        client.save()
    return make_psp(cast.brand)


def fill(cast, psp, rows: int, start: int = 0) -> None:
    """So many deposits, withdrawals, transfers and webhooks of both clients."""
    for number in range(start, start + rows):
        client = cast.client if number % 2 else cast.other_client
        deposit = paid_in(client, psp, 50_000 + number)
        request_withdrawal(
            client_id=client.pk,
            request=WithdrawalRequest(psp_id=psp.pk, amount=Decimal(50), currency="EUR", destination=IBAN),
            request_key=f"w{number}",
            actor=client.user,
        )
        Transfer.objects.create(
            client=client,
            brand=client.brand,
            wallet=deposit.wallet,
            trading_account_id=number,
            direction="to_wallet",
            trading_account_label="Live 1",
            reference=f"T-{number}",
            request_key=f"t{number}",
            amount_minor=100,
            currency="EUR",
            created_at=NOW,
        )
        WebhookMessage.objects.create(
            psp=psp,
            received_at=NOW,
            body=b'{"a": 1}',
            verdict="accepted",
            event_id=f"e{number}",
            state="done",
            reference=deposit.reference,
            processed_at=NOW,
        )


LISTS = [
    "deposits",
    "withdrawals",
    "withdrawal_queue",
    "transfers",
    "ledger",
    "psps",
    "webhooks",
    "reconciliation",
    "breaks",
]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_the_same_number_of_queries_however_long_it_is(cast, psp, browse, name):
    def count() -> int:
        browser = browse(cast.finance)
        browser.get("/profile/")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(reverse(f"wallet:{name}")).status_code == 200
        return len(queries)

    fill(cast, psp, 2)
    few = count()
    fill(cast, psp, 6, start=2)
    assert count() <= few
    assert few <= 25


def pages(cast, psp) -> dict[str, str]:
    """The address of one of each."""
    report = import_one(cast, psp)
    return {
        "deposit": reverse("wallet:deposit", args=[Deposit.objects.order_by("pk").last().pk]),
        "withdrawal": reverse("wallet:withdrawal", args=[Withdrawal.objects.order_by("pk").last().pk]),
        "transfer": reverse("wallet:transfer", args=[Transfer.objects.order_by("pk").last().pk]),
        "account": reverse("wallet:ledger_account", args=[Account.objects.filter(is_bounded=True).last().pk]),
        "journal": reverse("wallet:journal", args=[Journal.objects.first().pk]),
        "psp": reverse("wallet:psp", args=[psp.pk]),
        "webhook": reverse("wallet:webhook", args=[WebhookMessage.objects.first().pk]),
        "settlement": reverse("wallet:settlement", args=[report.pk]),
    }


def import_one(cast, psp) -> SettlementImport:
    from wallet.reconciliation.settlement_import import import_report

    return import_report(psp_id=psp.pk, file_name="october.csv", content=GOOD.encode(), actor=cast.finance)


@pytest.mark.parametrize(
    "name", ["deposit", "withdrawal", "transfer", "account", "journal", "psp", "webhook", "settlement"]
)
def test_a_page_of_one_thing_is_bounded(cast, psp, browse, name):
    fill(cast, psp, 3)
    browser = browse(cast.finance)
    address = pages(cast, psp)[name]
    browser.get("/profile/")
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(address).status_code == 200
    assert len(queries) <= 26, [query["sql"][:90] for query in queries]


def test_an_agent_sees_the_money_of_their_own_clients_only(cast, psp, browse):
    fill(cast, psp, 2)
    mine, other = (Deposit.objects.get(client=client) for client in (cast.client, cast.other_client))
    browser = browse(cast.agent)
    listed = browser.get(reverse("wallet:deposits")).content.decode()
    assert mine.reference in listed
    assert other.reference not in listed
    assert browser.get(reverse("wallet:deposit", args=[mine.pk])).status_code == 200
    assert browser.get(reverse("wallet:deposit", args=[other.pk])).status_code == 404
    assert browser.get(reverse("wallet:ledger")).status_code == 403
    assert AccessEvent.objects.filter(user=cast.agent, target=f"wallet.deposit:{mine.pk}", in_book=True).count() == 1


def test_clients_and_strangers_see_nothing_of_it(cast, psp, browse):
    fill(cast, psp, 1)
    for name in LISTS:
        assert browse(cast.client_user).get(reverse(f"wallet:{name}")).status_code in (302, 404)
        assert browse(None).get(reverse(f"wallet:{name}")).status_code == 302


def test_a_psp_of_another_brand_is_out_of_reach(cast, psp, browse):
    foreign = make_psp(cast.other_brand, "cardinal")
    assert browse(cast.finance).get(reverse("wallet:psp", args=[foreign.pk])).status_code == 404
    assert browse(cast.finance).post(reverse("wallet:psp_check", args=[foreign.pk])).status_code == 404


# Withdrawals by two people


@pytest.fixture
def waiting(cast, psp) -> Withdrawal:
    paid_in(cast.client, psp, 100_000)
    return request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(psp_id=psp.pk, amount=Decimal(200), currency="EUR", destination=IBAN),
        request_key="w",
        actor=cast.client_user,
    )


def test_finance_approves_in_two_steps_through_the_page(cast, waiting, browse):
    page, approve = (reverse(f"wallet:{name}", args=[waiting.pk]) for name in ("withdrawal", "withdrawal_approve"))
    first = browse(cast.finance)
    assert "Approve (first of two)" in first.get(page).content.decode()
    assert first.post(approve, {"approve-reason": "seen"}).status_code == 302
    shown = first.get(page).content.decode()
    assert "You gave the first approval" in shown
    assert first.post(approve).status_code == 422
    second = browse(cast.second_finance)
    assert "Approve and release" in second.get(page).content.decode()
    assert second.post(approve).status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == "approved"
    assert (waiting.reviewed_by, waiting.approved_by) == (cast.finance, cast.second_finance)


def test_a_rejection_needs_a_reason_and_keeps_what_was_typed(cast, waiting, browse):
    reject = reverse("wallet:withdrawal_reject", args=[waiting.pk])
    assert browse(cast.finance).post(reject, {"reject-reason": ""}).status_code == 422
    assert browse(cast.agent).post(reject, {"reject-reason": "x"}).status_code == 403
    assert browse(cast.finance).post(reject, {"reject-reason": "Not your card"}).status_code == 302
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("rejected", "Not your card")


def test_who_may_not_decide_sees_no_buttons_and_get_changes_nothing(cast, waiting, browse):
    page = reverse("wallet:withdrawal", args=[waiting.pk])
    assert "Approve" not in browse(cast.auditor).get(page).content.decode().replace("Approved", "").replace(
        "approval", ""
    )
    assert browse(cast.finance).get(reverse("wallet:withdrawal_approve", args=[waiting.pk])).status_code == 405
    waiting.refresh_from_db()
    assert waiting.state == "requested"


def test_the_queue_shows_age_and_what_the_checks_said(cast, waiting, browse):
    Withdrawal.objects.update(requested_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=30))
    waiting.checks.filter(name="risk").update(outcome="review", reason="The client is rated high risk.")
    shown = browse(cast.finance).get(reverse("wallet:withdrawal_queue")).content.decode()
    assert "1 to review" in shown
    assert "The client is rated high risk." in shown
    assert "tone-danger" in shown
    approve_withdrawal(withdrawal_id=waiting.pk, actor=cast.finance)
    assert waiting.reference in browse(cast.finance).get(reverse("wallet:withdrawal_queue")).content.decode()


# Deposits


def test_a_held_deposit_is_released_through_its_page(cast, psp, browse):
    from wallet.deposits.verbs import apply_payment
    from wallet.psp.values import PaymentStatus, PaymentView

    deposit = Deposit.objects.create(
        client=cast.client,
        brand=cast.brand,
        psp=psp,
        wallet=posting.wallet_of(cast.client, "EUR"),
        reference="D-HELD",
        request_key="k",
        amount_minor=10_000,
        currency="EUR",
        created_at=NOW,
    )
    view = PaymentView("D-HELD", "pay_1", PaymentStatus.CAPTURED, 10_000, "EUR", received_minor=9_000)
    apply_payment(psp_id=psp.pk, view=view)
    page = reverse("wallet:deposit", args=[deposit.pk])
    assert browse(cast.agent).post(page, {"reason": "please"}).status_code == 422
    assert browse(cast.finance).post(page, {"reason": ""}).status_code == 422
    assert browse(cast.finance).post(page, {"reason": "fee of the network"}).status_code == 302
    deposit.refresh_from_db()
    assert deposit.state == DepositState.SETTLED
    assert posting.balance(deposit.wallet) == 9_000


# The ledger


def test_balances_are_shown_as_of_any_instant(cast, psp, browse):
    wallet, suspense = posting.wallet_of(cast.client, "EUR"), house(cast.brand)
    posting.post_many(
        [
            Entry(
                key=f"k{n}",
                kind=JournalKind.ADJUSTMENT,
                brand_id=cast.brand.pk,
                lines=(Line(wallet, 10_000), Line(suspense, -10_000)),
                description=f"Step {n}",
            )
            for n in range(3)
        ],
        posted_at=[NOW + dt.timedelta(hours=n - 24) for n in range(3)],
    )
    browser = browse(cast.finance)
    as_of = (NOW - dt.timedelta(hours=22, minutes=30)).strftime("%Y-%m-%dT%H:%M:%S")
    page = reverse("wallet:ledger_account", args=[wallet.pk])
    assert "€300.00" in browser.get(page).content.decode()
    then = browser.get(page, {"as_of": as_of}).content.decode()
    assert "€200.00" in then
    assert "Step 2" not in then
    listed = browser.get(reverse("wallet:ledger"), {"as_of": as_of}).content.decode()
    assert "€200.00" in listed and "€300.00" not in listed
    assert browser.get(page, {"as_of": "nonsense", "cursor": "a|b"}).status_code == 200


def test_an_account_s_history_is_paged_by_position(cast, psp, browse):
    fees, suspense = house(cast.brand), posting.wallet_of(cast.client, "EUR")
    posting.post_many(
        [
            Entry(
                key=f"k{n}",
                kind=JournalKind.ADJUSTMENT,
                brand_id=cast.brand.pk,
                description=f"<{n:03d}>",
                lines=(Line(suspense, 1), Line(fees, -1)),
            )
            for n in range(PAGE_SIZE + 10)
        ]
    )
    browser = browse(cast.finance)
    page = reverse("wallet:ledger_account", args=[fees.pk])
    first = browser.get(page)
    cursor = first.context["page"].next_cursor
    second = browser.get(page, {"cursor": cursor})
    shown = [row.posting.journal.description for answer in (first, second) for row in answer.context["page"].rows]
    assert shown == [f"<{n:03d}>" for n in range(PAGE_SIZE + 9, -1, -1)]
    assert second.context["page"].next_cursor == ""


def test_a_journal_s_page_changes_nothing(cast, psp, browse):
    fund(cast.client, 100)
    journal = reverse("wallet:journal", args=[Journal.objects.get().pk])
    browse(cast.finance).post(journal, {"description": "x"})
    assert Journal.objects.get().description == ""


# PSPs


def test_a_psp_is_set_up_and_its_keys_are_never_shown(cast, psp, browse):
    page = reverse("wallet:psp", args=[psp.pk])
    browser = browse(cast.finance)
    shown = browser.get(page).content.decode()
    assert "sandbox-api-key" not in shown and "webhook-secret-northpay" not in shown
    values = {
        "name": "Northpay 2",
        "is_enabled": "on",
        "base_url": "",
        "api_key": "",
        "webhook_secret": "a new secret",
        "merchant": "merchant-northpay",
    }
    assert browser.post(page, values).status_code == 302
    psp.refresh_from_db()
    assert psp.name == "Northpay 2"
    assert psp.credentials["webhook_secret"] == "a new secret"
    assert psp.credentials["previous_webhook_secret"] == "sandbox-webhook-secret-northpay"
    assert psp.credentials["api_key"] == "sandbox-api-key-northpay"
    assert browser.post(page, {**values, "name": ""}).status_code == 422
    assert AuditEvent.objects.filter(action="wallet.psp_configured").count() == 1
    assert browse(cast.agent).post(page, values).status_code in (403, 404)


def test_the_connection_test_says_what_is_wrong(cast, outside, browse):
    browser, check = browse(cast.finance), reverse("wallet:psp_check", args=[outside.psp.pk])
    assert "responds and accepts our key" in browser.post(check, follow=True).content.decode()
    outside.psp.seal_credentials({**outside.psp.credentials, "api_key": "old"})
    outside.psp.save()
    assert "The API key is missing or wrong" in browser.post(check, follow=True).content.decode()
    outside.psp.refresh_from_db()
    assert "API key" in outside.psp.last_check_error


# Webhooks and reconciliation


def test_a_refused_webhook_is_explained_and_an_unmatched_one_can_be_tried_again(cast, psp, browse):
    common = {"psp": psp, "received_at": NOW, "processed_at": NOW, "body": b"<script>"}
    forged = WebhookMessage.objects.create(verdict="wrong_signature", state="refused", **common)
    lost = WebhookMessage.objects.create(verdict="accepted", state="unmatched", event_id="e", **common)
    browser = browse(cast.finance)
    shown = browser.get(reverse("wallet:webhook", args=[forged.pk])).content.decode()
    assert "Nothing was changed" in shown
    assert "&lt;script&gt;" in shown
    refused = browser.post(reverse("wallet:webhook_retry", args=[forged.pk]), follow=True)
    assert refused.redirect_chain == [(reverse("wallet:webhook", args=[forged.pk]), 302)]
    assert "tone-danger" in refused.content.decode()
    forged.refresh_from_db()
    assert forged.state == "refused"
    assert browser.post(reverse("wallet:webhook_retry", args=[lost.pk])).status_code == 302
    lost.refresh_from_db()
    assert lost.state == "waiting"
    assert browse(cast.auditor).post(reverse("wallet:webhook_retry", args=[lost.pk])).status_code == 403


def test_a_report_is_uploaded_matched_and_its_break_resolved(cast, psp, browse):
    from django.core.files.uploadedfile import SimpleUploadedFile

    browser, upload = browse(cast.finance), reverse("wallet:report_upload")

    def send(content: bytes):
        return browser.post(upload, {"psp": psp.pk, "file": SimpleUploadedFile("october.csv", content)})

    wrong = send(GOOD.replace("100.00", "1oo.00").encode())
    assert wrong.status_code == 422
    assert "Line 3, column “gross”" in wrong.content.decode()
    done = send(GOOD.encode())
    report = SettlementImport.objects.get()
    assert done["Location"] == reverse("wallet:settlement", args=[report.pk])
    shown = browser.get(done["Location"]).content.decode()
    assert "Missing in ledger" in shown
    assert "already imported" in send(GOOD.encode()).getvalue().decode()
    resolve = reverse("wallet:break_resolve", args=[Break.objects.get().pk])
    assert browser.post(resolve, {"reason": ""}).status_code == 422
    too_long = browser.post(resolve, {"reason": "Test payment " * 30})
    assert too_long.status_code == 422 and ">Test payment Test" in too_long.content.decode()
    assert browser.post(resolve, {"reason": "Test payment of the PSP"}).status_code == 302
    assert Break.objects.get().resolved_by == cast.finance
    assert browse(cast.auditor).post(upload, {}).status_code == 403
    original = browser.get(reverse("wallet:settlement_original", args=[report.pk]))
    assert original.getvalue() == GOOD.encode()
    assert AccessEvent.objects.filter(kind="download", target=f"wallet.settlement:{report.pk}").count() == 1


def test_staff_order_a_statement_and_follow_its_job(cast, psp, browse):
    order = reverse("wallet:client_statement", args=[cast.client.pk])
    period = {"first": "2026-10-01", "last": "2026-10-31"}
    answer = browse(cast.finance).post(order, period)
    assert answer["Location"] == reverse("job", args=[Job.objects.get().pk])
    assert browse(cast.finance).post(order, {"first": "2026-10-02", "last": "2026-10-01"}).status_code == 422
    assert browse(cast.auditor).post(order, period).status_code == 403

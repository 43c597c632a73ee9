"""Money in the client portal, against a running sandbox PSP: in, out, over, and on paper."""

import datetime as dt
import re
from decimal import Decimal

import httpx
import pytest
from django.db import transaction
from django.urls import reverse

from crm import events
from crm.files.jobs import run_job
from crm.models import Job, Notification
from portal import money
from tests.cast import PASSWORD, signed_in
from tests.days import today
from tests.portal.conftest import verify
from tests.trading.factories import make_account, make_server, make_type
from tests.wallet.conftest import outside  # noqa: F401 — a fixture
from tests.wallet.factories import make_psp
from tests.wallet.withdrawals.test_withdrawal import paid_in
from trading.models import AccountRequest
from wallet.choices.deposits import DepositState
from wallet.choices.transfers import TransferState
from wallet.choices.withdrawals import WithdrawalState
from wallet.disputes.refunds import start_refund
from wallet.ledger import posting
from wallet.models import Deposit, Exchange, Quote, Transfer, Withdrawal
from wallet.movements import queries
from wallet.transfers.verbs import finish_transfer
from wallet.withdrawals import payout_results
from wallet.withdrawals.verbs import approve_withdrawal, reject_withdrawal

pytestmark = pytest.mark.django_db
DEPOSIT, WITHDRAW, TRANSFER = "/portal/wallet/deposit/", "/portal/wallet/withdraw/", "/portal/wallet/transfer/"
IBAN = "DE89 3704 0044 0532 0130 00"


def key_of(answer):
    return re.search(r'name="request_key" value="([^"]+)"', answer.content.decode())[1]


def confirm_again(browser):
    """As somebody who has just signed in: no confirmation is asked for."""
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def payer(cast, outside):
    verify(cast.client)
    return signed_in(cast.client_user)


def start(browser, psp, amount="500", **fields):
    key = key_of(browser.get(DEPOSIT))
    return browser.post(
        DEPOSIT, {"method": psp.methods.get().pk, "amount": amount, "currency": "EUR", "request_key": key, **fields}
    )


def test_a_deposit_goes_to_the_psp_and_comes_back_booked_once(cast, outside, payer):
    answer = start(payer, outside.psp)
    deposit = Deposit.objects.get()
    assert answer["Location"] == f"/portal/wallet/{deposit.reference}/pay/"
    pay = payer.get(answer["Location"]).content.decode()
    assert deposit.redirect_url in pay and "data-go-on" in pay
    page = payer.get(f"/portal/wallet/{deposit.reference}/").content.decode()
    assert "Waiting for your payment" in page and 'hx-trigger="k:live:room' in page
    card = {"payer_name": "Clara Weber", "card_number": "4242424242424242", "expiry": "12/39", "cvc": "123"}
    hosted = httpx.post(deposit.redirect_url, data={**card, "action": "pay"}, follow_redirects=False)
    assert f"/portal/wallet/{deposit.reference}/" in hosted.headers["location"]
    outside.deliver(wait_for=2)
    page = payer.get(f"/portal/wallet/{deposit.reference}/").content.decode()
    assert "€500.00 is in your wallet" in page
    assert "hx-trigger" not in re.search(r'<div id="movement".*?>', page)[0]
    assert "€500.00" in payer.get("/portal/wallet/").content.decode()
    assert Notification.objects.filter(user=cast.client_user, kind="portal.deposit").count() == 1


def test_a_double_click_is_one_deposit_and_another_amount_under_its_key_is_refused(cast, outside, payer):
    key = key_of(payer.get(DEPOSIT))
    form = {"method": outside.psp.methods.get().pk, "amount": "500", "currency": "EUR", "request_key": key}
    first, second = payer.post(DEPOSIT, form), payer.post(DEPOSIT, form)
    assert first["Location"] == second["Location"] and Deposit.objects.count() == 1
    answer = payer.post(DEPOSIT, {**form, "amount": "900"})
    assert answer.status_code == 422 and "already submitted with a different amount" in answer.content.decode()


@pytest.mark.parametrize(
    ("amount", "words"),
    [("0", "above zero"), ("-5", "above zero"), ("abc", "in digits"), ("1.005", "decimal places"), ("", "required")],
)
def test_an_amount_that_makes_no_sense_is_said_so(cast, outside, payer, amount, words):
    answer = start(payer, outside.psp, amount)
    assert answer.status_code == 422 and words in answer.content.decode() and not Deposit.objects.exists()


@pytest.mark.parametrize(
    ("typed", "language", "minor"),
    [
        ("1.234,50", "de", 123450),
        ("1.500", "de", 150000),
        ("250,5", "en", 25050),
        ("1 000", "de", 100000),
        ("1,234.50", "en", 123450),
        ("1,500", "en", 150000),
        ("1'000", "en", 100000),
    ],
)
def test_amounts_are_read_as_the_reader_writes_them(cast, outside, payer, typed, language, minor):
    cast.client_user.language = language
    cast.client_user.save(update_fields=["language"])
    start(payer, outside.psp, typed)
    assert Deposit.objects.get().amount_minor == minor


def test_a_psp_that_is_away_says_that_nothing_was_charged(cast, payer):
    away = make_psp(cast.brand, "awaypay", base_url="http://127.0.0.1:1")
    answer = start(payer, away)
    page = answer.content.decode()
    assert answer.status_code == 422 and "Nothing was charged" in page and 'value="500"' in page


def test_a_method_of_another_brand_is_not_offered(cast, outside, payer):
    foreign = make_psp(cast.other_brand, "sydneypay", base_url=outside.running.url)
    answer = start(payer, foreign)
    assert answer.status_code == 422 and not Deposit.objects.exists()
    assert "Sydneypay" not in payer.get(DEPOSIT).content.decode()


def test_restricted_clients_read_why(cast, payer):
    cast.client.restrictions = ["no_deposit"]
    cast.client.save()
    assert "Deposits are not possible at the moment" in payer.get(DEPOSIT).content.decode()
    assert payer.post(DEPOSIT, {"amount": "5"}).status_code == 422 and not Deposit.objects.exists()


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(room, amount="200", confirmed=True, **fields):
    page = room.browser.get(f"{WITHDRAW}?psp={room.bank.pk}")
    if confirmed:
        confirm_again(room.browser)
    form = {
        "psp": room.bank.pk,
        "amount": amount,
        "currency": "EUR",
        "to_iban": IBAN,
        "to_holder": "Clara Weber",
        "request_key": key_of(page),
        **fields,
    }
    shown = room.browser.post(WITHDRAW, form)
    plan = re.search(r'name="plan" value="([^"]+)"', shown.content.decode())
    return room.browser.post(WITHDRAW, {**form, "plan": plan[1]}) if plan else shown


def test_an_amount_typed_before_another_way_was_chosen_stays(room):
    page = room.browser.get(WITHDRAW, {"psp": room.bank.pk, "amount": "250,50"}).content.decode()
    assert 'value="250,50"' in page


def test_a_withdrawal_asks_once_more_who_one_is_and_then_goes_on(room):
    answer = ask(room, confirmed=False)
    assert answer["Location"].startswith("/accounts/reauthenticate/") and not Withdrawal.objects.exists()
    answer = room.browser.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": WITHDRAW})
    withdrawal = Withdrawal.objects.get()
    assert answer["Location"] == f"/portal/wallet/{withdrawal.reference}/"


def test_a_withdrawal_is_checked_approved_and_its_page_tells_each_step(room):
    answer = ask(room)
    withdrawal = Withdrawal.objects.get()
    address = answer["Location"]
    page = room.browser.get(address).content.decode()
    assert "Your withdrawal is under review" in page and "IBAN •••• 3000" in page and "usually within" in page
    assert "Cancel withdrawal" in page and "0532" not in page
    assert "€300.00" in room.browser.get("/portal/wallet/").content.decode()
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=room.cast.finance)
    page = room.browser.get(address).content.decode()
    assert "Your withdrawal is in final review" in page
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=room.cast.second_finance)
    page = room.browser.get(address).content.decode()
    assert "Approved" in page and "Cancel withdrawal" not in page


def test_the_client_cancels_while_nobody_has_released_it(room):
    ask(room)
    withdrawal = Withdrawal.objects.get()
    room.browser.post(f"/portal/wallet/{withdrawal.reference}/cancel/")
    withdrawal.refresh_from_db()
    assert withdrawal.state == "cancelled"
    assert "€500.00" in room.browser.get("/portal/wallet/").content.decode()
    page = room.browser.post(f"/portal/wallet/{withdrawal.reference}/cancel/", follow=True).content.decode()
    assert "can no longer be cancelled" in page


def test_a_rejection_tells_its_reason(room):
    ask(room)
    withdrawal = Withdrawal.objects.get()
    reject_withdrawal(withdrawal_id=withdrawal.pk, actor=room.cast.finance, reason="The account is not in your name.")
    events.drain()
    assert (
        "The account is not in your name."
        in room.browser.get(f"/portal/wallet/{withdrawal.reference}/").content.decode()
    )
    row = Notification.objects.get(user=room.user, kind="portal.withdrawal")
    assert row.body == "The account is not in your name."


@pytest.mark.parametrize(
    ("said", "told"),
    [("Northpay: the API key k-123 is wrong", ""), ("account closed", "The receiving account is closed")],
)
def test_what_a_psp_answers_to_a_payout_stays_with_staff_unless_it_is_a_cause_we_know(room, said, told):
    ask(room)
    withdrawal = Withdrawal.objects.get()
    for officer in (room.cast.finance, room.cast.second_finance):
        approve_withdrawal(withdrawal_id=withdrawal.pk, actor=officer)
    with transaction.atomic():
        row = Withdrawal.objects.select_for_update().get()
        row.move_to(WithdrawalState.SENDING)
        payout_results.fail(row, reason=said)
    events.drain()
    page = room.browser.get(f"/portal/wallet/{withdrawal.reference}/").content.decode()
    happened = room.browser.get("/portal/activity/").content.decode()
    note = Notification.objects.get(user=room.user, kind="portal.withdrawal")
    assert Withdrawal.objects.get().reason == said
    assert "The money is back in your wallet." in page
    assert "Withdrawal failed, money returned" in happened  # the reader's language
    assert told in page and told in note.body
    assert not any(said in words for words in (page, happened, note.body))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"amount": "900"}, "Only"),
        ({"amount": "99999"}, "Only €500.00 is available"),
        ({"to_iban": "DE00 1234"}, "a valid IBAN"),
        ({"to_holder": ""}, "This field is required"),
    ],
)
def test_what_stops_a_withdrawal_is_said_and_what_was_typed_stays(room, fields, words):
    answer = ask(room, **fields)
    page = answer.content.decode()
    assert answer.status_code == 422 and words in page and not Withdrawal.objects.exists()
    if "to_holder" not in fields:
        assert 'value="Clara Weber"' in page


def test_an_unverified_client_is_led_to_their_documents(room):
    room.client.kyc_level = 0
    room.client.save()
    answer = ask(room)
    assert "t verified yet" in answer.content.decode() and not Withdrawal.objects.exists()


def test_an_empty_wallet_says_where_money_is(cast):
    verify(cast.client)
    make_psp(cast.brand, "northpay")
    page = signed_in(cast.client_user).get(WITHDRAW).content.decode()
    assert "Your wallet is empty" in page


def test_where_money_goes_depends_on_the_method(room):
    card = room.browser.get(f"{WITHDRAW}?psp={room.psp.pk}").content.decode()
    bank = room.browser.get(f"{WITHDRAW}?psp={room.bank.pk}").content.decode()
    assert 'name="to_card"' in card and 'name="to_iban"' not in card
    assert 'name="to_iban"' in bank and 'name="to_card"' not in bank


# ── over ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def move(room, direction="to", amount="150"):
    page = room.browser.get(f"{TRANSFER}?direction={direction}")
    form = {"account": room.account.pk, "amount": amount, "request_key": key_of(page), "direction": direction}
    return room.browser.post(TRANSFER, form)


def test_a_transfer_waits_for_the_platform_and_is_booked(room):
    answer = move(room)
    transfer = Transfer.objects.get()
    assert "On its way" in room.browser.get(answer["Location"]).content.decode()
    finish_transfer(operation_id=transfer.operation_id, confirmed=True)
    events.drain()
    assert "Done" in room.browser.get(answer["Location"]).content.decode()
    assert "€350.00" in room.browser.get("/portal/wallet/").content.decode()


def test_more_than_there_is_does_not_move(room):
    answer = move(room, amount="5000")
    assert answer.status_code == 422 and not Transfer.objects.exists()
    assert 'value="5000"' in answer.content.decode()


def test_back_to_the_wallet(room):
    move(room, direction="from")
    assert Transfer.objects.get().direction == "to_wallet"


def test_a_refund_that_we_started_is_told_and_can_not_be_cancelled(room):
    paid_in(room.client, room.psp, 10_000)
    Deposit.objects.update(psp_reference="pay_1", instrument="Visa •••• 4242")
    refund = start_refund(
        deposit_id=Deposit.objects.get().pk, amount=Decimal(100), reason="x", request_key="r", actor=room.cast.finance
    )
    address = f"/portal/wallet/{refund.reference}/"
    page = room.browser.get(address).content.decode()
    assert "Refund of your deposit" in page and "Visa •••• 4242" in page and "Cancel withdrawal" not in page
    room.browser.post(f"{address}cancel/")
    refund.refresh_from_db()
    assert refund.state == "requested"


# ── between currencies ──────────────────────────────────────────────────────────────────────────────────────────────


EXCHANGE = "/portal/wallet/exchange/"


def quoted(answer) -> str:
    return re.search(r'name="quote" value="(\d+)"', answer.content.decode())[1]


def test_money_is_exchanged_at_a_rate_that_was_shown(room):
    form = {"given": "EUR", "got": "USD", "amount": "100", "request_key": key_of(room.browser.get(EXCHANGE))}
    shown = room.browser.post(EXCHANGE, form)
    assert "€100.00" in shown.content.decode() and "data-quote" in shown.content.decode()
    answer = room.browser.post(EXCHANGE, {**form, "quote": quoted(shown)})
    done = Exchange.objects.get()
    assert answer["Location"] == f"/portal/wallet/{done.reference}/"
    page = room.browser.get(answer["Location"]).content.decode()
    assert "Exchanged" in page and f"{done.quote.rate:.6f}" in page
    wallet = room.browser.get("/portal/wallet/").content.decode()
    assert "€400.00" in wallet and "EUR → USD" in wallet


def test_a_rate_that_is_over_is_replaced_by_a_new_one(room):
    form = {"given": "EUR", "got": "USD", "amount": "100", "request_key": key_of(room.browser.get(EXCHANGE))}
    first = quoted(room.browser.post(EXCHANGE, form))
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2)
    Quote.objects.update(created_at=past, expires_at=past + dt.timedelta(seconds=30))
    again = room.browser.post(EXCHANGE, {**form, "quote": first})
    assert "This rate has expired" in again.content.decode() and quoted(again) != first
    assert not Exchange.objects.exists()
    room.browser.post(EXCHANGE, {**form, "quote": quoted(again)})
    assert Exchange.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"), [({"amount": "1.005"}, "decimal places"), ({"got": "EUR"}, "two different")]
)
def test_what_can_not_be_exchanged_is_said_and_what_was_typed_stays(room, fields, words):
    form = {"given": "EUR", "got": "USD", "amount": "100", "request_key": "k", **fields}
    answer = room.browser.post(EXCHANGE, form)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert f'value="{form["amount"]}"' in answer.content.decode()


def test_an_account_in_another_currency_is_reached_at_a_quoted_rate(room):
    account = make_account(room.client, room.account.server, currency="USD", equity=10, balance=10)
    page = room.browser.get(f"{TRANSFER}?account={account.pk}")
    form = {"account": account.pk, "wallet": "EUR", "amount": "100", "direction": "to", "request_key": key_of(page)}
    shown = room.browser.post(TRANSFER, form)
    assert not Transfer.objects.exists()
    answer = room.browser.post(TRANSFER, {**form, "quote": quoted(shown)})
    transfer = Transfer.objects.get()
    assert (transfer.currency, transfer.wallet_minor) == ("USD", 10_000)
    assert "1 EUR =" in room.browser.get(answer["Location"]).content.decode()


# ── on paper ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_history_pages_by_keyset(room):
    account, wallet = room.account, posting.wallet_of(room.client, "EUR")
    for number in range(30):
        Transfer.objects.bulk_create(
            [
                Transfer(
                    client=room.client,
                    brand=room.client.brand,
                    wallet=wallet,
                    trading_account_id=account.pk,
                    trading_account_label="x",
                    direction="to_wallet",
                    reference=f"T-{number:04d}",
                    request_key=str(number),
                    amount_minor=100 + number,
                    currency="EUR",
                    requested_by=room.user,
                    state="sending",
                    operation_id=10_000 + number,
                    created_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=number),
                )
            ]
        )
    first = room.browser.get("/portal/wallet/history/")
    assert len(first.context["movements"]) == 25
    second = room.browser.get("/portal/wallet/history/", {"after": first.context["next"]})
    rows = [*first.context["movements"], *second.context["movements"]]
    assert second.context["next"] == "" and rows == queries.history_of(room.client, limit=100)
    assert len({row.reference for row in rows if row.kind == "transfer"}) == 30


def test_a_statement_is_made_as_a_pdf_for_its_owner_only(room):
    day = today().isoformat()
    answer = room.browser.post("/portal/wallet/history/statement/", {"first": day, "last": day})
    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}/"
    run_job(job.pk)
    assert "Download statement-meridian" in room.browser.get(f"/jobs/{job.pk}/").content.decode()
    job.refresh_from_db()
    pdf = room.browser.get(job.result_url)
    assert b"".join(pdf.streaming_content)[:5] == b"%PDF-"
    assert signed_in(room.other.user).get(f"/jobs/{job.pk}/").status_code == 404
    assert signed_in(room.other.user).get(job.result_url).status_code == 404


def test_a_period_that_makes_no_sense_is_said_so(room):
    answer = room.browser.post(
        "/portal/wallet/history/statement/", {"first": "2026-05-02", "last": "2026-05-01"}, follow=True
    )
    assert "must not be after the end date" in answer.content.decode() and not Job.objects.exists()


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_account_is_asked_for_once_per_click(room):
    page = room.browser.get(f"/portal/accounts/open/?type={room.account_type.pk}")
    form = {"account_type": room.account_type.pk, "leverage": "20", "request_key": key_of(page)}
    for _click in range(2):
        address = room.browser.post("/portal/accounts/open/", form)["Location"]
    wanted = room.client.trading_accounts.exclude(pk=room.account.pk).get()
    assert address == reverse("portal_account", args=[wanted.pk])
    assert (wanted.state, wanted.leverage) == ("requested", 20)


def test_a_type_that_needs_more_says_why(cast):
    server = make_server()
    make_type(cast.brand, server, kyc_level=1)
    page = signed_in(cast.client_user).get("/portal/accounts/open/").content.decode()
    assert "Available once you" in page


def test_a_wish_that_the_platform_can_not_be_told_waits_for_a_person(room):
    address = f"/portal/accounts/{room.account.pk}/ask/leverage/"
    answer = room.browser.post(address, {"leverage": "10"}, follow=True).content.decode()
    assert "Request received." in answer and "platform isn&#x27;t responding" in answer and "1:30 → 1:10" in answer
    again = room.browser.post(address, {"leverage": "10"}, follow=True).content.decode()
    assert "We already have this request" in again
    wish = AccountRequest.objects.get(account=room.account)
    other = reverse("portal_account_withdraw_request", args=[room.other_account.pk, wish.pk])
    assert room.browser.post(other).status_code == 404
    room.browser.post(reverse("portal_account_withdraw_request", args=[room.account.pk, wish.pk]))
    wish.refresh_from_db()
    room.account.refresh_from_db()
    assert (wish.state, room.account.leverage) == ("withdrawn", 30)


def test_a_platform_that_is_away_says_so_when_a_password_is_set(room):
    confirm_again(room.browser)
    answer = room.browser.post(f"/portal/accounts/{room.account.pk}/password/", {"password": ""})
    page = answer.content.decode()
    assert answer.status_code == 422 and 'id="password" data-open' in page  # its dialog is open again, with the reason
    assert "The trading platform can&#x27;t be reached right now" in page and "We show it only once" not in page


def test_every_state_of_money_has_words(room):
    for state in DepositState:
        told = money.describe_deposit(Deposit(state=state, psp=room.psp, amount_minor=100, currency="EUR"))
        assert told.title and told.text and 0 <= told.current <= len(told.steps)
    for state in WithdrawalState:
        found = Withdrawal(
            state=state, psp=room.psp, client=room.client, amount_minor=100, currency="EUR", reason="Because."
        )
        told = money.describe_withdrawal(found)
        assert told.title and told.text and 0 <= told.current <= len(told.steps)
    for state in TransferState:
        assert money.describe_transfer(Transfer(state=state, amount_minor=100, currency="EUR")).title
    waiting = money.describe_transfer(Transfer(state=TransferState.UNKNOWN, amount_minor=100, currency="EUR"))
    assert "moved twice" in waiting.text and "few seconds" not in waiting.text

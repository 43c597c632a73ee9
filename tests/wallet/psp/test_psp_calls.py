"""What was said to a PSP about a movement stands in its story: how it ended, how long it took, and no secret in it."""

from decimal import Decimal

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from tests.wallet.deposits.test_deposit import pay, start
from tests.wallet.withdrawals.test_withdrawal import IBAN
from wallet.deposits.verbs import look_up_deposit
from wallet.models import Deposit, Psp, PspCall, Withdrawal
from wallet.movements.history import story_of
from wallet.psp import calls, redaction
from wallet.withdrawals import sending
from wallet.withdrawals.verbs import WithdrawalRequest, approve_withdrawal, request_withdrawal

pytestmark = pytest.mark.django_db


def lines_of(movement, kind="call"):
    return [line for line in story_of(movement).lines if line.kind == kind]


def test_the_calls_about_a_deposit_stand_in_its_story_with_what_was_said(cast, outside):
    deposit = start(cast, outside)
    pay(deposit)
    outside.deliver(wait_for=2)
    first = lines_of(deposit)[0]
    assert first.words.startswith("Request to Northpay: POST /northpay/v1/payments")
    assert first.body[0].startswith("Answered · HTTP 201 · ") and first.body[0].endswith(" ms")
    assert [head for head, _text in first.parts] == ["Request", "Response"]
    assert deposit.reference in first.parts[0][1]
    look_up_deposit(Deposit.objects.get().pk)
    assert all("sandbox-api-key" not in text for line in lines_of(deposit) for _head, text in line.parts)


def test_a_payout_that_got_no_answer_says_so_and_its_account_number_is_not_kept(cast, outside):
    cast.client.kyc_level = 2
    cast.client.save()
    pay(start(cast, outside))
    outside.deliver(wait_for=2)
    withdrawal = request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(psp_id=outside.psp.pk, amount=Decimal(100), currency="EUR", destination=IBAN),
        request_key="w",
        actor=cast.client.user,
    )
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance)
    outside.running.fault("outage", psp="northpay")
    sending.send_payout(withdrawal.pk)
    line = lines_of(Withdrawal.objects.get(pk=withdrawal.pk))[0]
    assert line.tone == "danger" and line.body[0].startswith("Invalid response")
    assert IBAN["iban"] not in "".join(text for _head, text in line.parts)


def test_what_was_said_is_for_those_who_may_read_webhooks(cast, outside, browse):
    deposit = start(cast, outside)
    address = reverse("wallet:deposit", args=[deposit.pk])
    page = browse(cast.finance).get(address).content.decode()
    assert "Request to Northpay: POST" in page and "Request and response" in page
    page = browse(cast.agent).get(address).content.decode()
    assert "Request to Northpay: POST" in page and "Request and response" not in page


def test_of_many_look_ups_the_first_and_the_last_are_kept(outside):
    with calls.about("D-MANY"):
        for _number in range(44):
            calls._note(outside.psp, "GET /x", calls.Call(), milliseconds=1)
    ids = list(PspCall.objects.filter(reference="D-MANY").order_by("id").values_list("pk", flat=True))
    assert len(ids) == calls.KEPT_FIRST + calls.KEPT_LAST
    assert ids[calls.KEPT_FIRST] - ids[calls.KEPT_FIRST - 1] == 5


def test_calls_about_nothing_keep_no_words(outside):
    from wallet.psp import adapter_of

    adapter_of(outside.psp).check_connection()
    assert (PspCall.objects.get().request, PspCall.objects.get().answer) == ("", "")


@pytest.mark.parametrize(
    ("body", "gone", "there"),
    [
        ({"client_secret": "cs_1_secret_2", "id": "pi_1"}, "cs_1_secret_2", "pi_1"),
        (b"payment_method_data[iban]=DE89370400440532013000&amount=500", "DE8937040044053201", "500"),
        ('{"bankAccount": {"iban": "DE89370400440532013000", "ownerName": "Clara"}}', "370400440532013", "Clara"),
        ({"note": "card 4242 4242 4242 4242 of clara@example.com"}, "clara@", "4242 of c•••@example.com"),
        ({"pspReference": "8835511210681325"}, "•", "8835511210681325"),
        ({"nested": [{"access_token": "tok"}], "amount": {"value": 500}}, 'tok"', "500"),
        ({"reference": "D-XV78RXHPPVD4"}, "•", "D-XV78RXHPPVD4"),  # ours, though it begins like an IBAN
        ({"note": "from NO9386011117947"}, "9386011", "•••7947"),
        (b"\xff\xfe", "xff", "2 bytes"),
        ({"merchant_id": "key-of-the-psp"}, "key-of-the-psp", "merchant_id"),
    ],
)
def test_no_key_and_no_whole_number_is_kept(body, gone, there):
    text = redaction.redact(body, secrets=["key-of-the-psp"])
    assert gone not in text and there in text


@given(
    st.recursive(
        st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.just("hush-hush-key")),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        max_leaves=20,
    )
)
def test_whatever_the_body_a_key_of_the_psp_is_not_in_what_is_kept(body):
    text = redaction.redact({"body": body}, secrets=["hush-hush-key"])
    assert "hush-hush-key" not in text and len(text) <= redaction.KEPT_MAX


def test_keys_of_a_psp_are_known_as_such(outside):
    psp = Psp.objects.get(pk=outside.psp.pk)
    call = calls.Call()
    call.request = {"merchant_id": psp.credentials["api_key"]}
    assert psp.credentials["api_key"] not in calls._redacted_texts(psp, call)["request"]

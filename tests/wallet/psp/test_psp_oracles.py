"""Our checks of Stripe's and Adyen's signatures against frozen examples, and against the providers' own SDKs as oracles.

Where we are stricter than the SDKs, it is said here: Stripe's accepts signatures from the future; Adyen's looks at the first
item only, and answers None for an item without a signature.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import stripe
from Adyen.util import (
    generate_notification_sig,
    generate_payload_sig,
    is_valid_hmac_notification,
    is_valid_hmac_payload,
)
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from wallet.choices.psp import Verdict
from wallet.psp.adyen import notifications, transfer_views
from wallet.psp.adyen.adapter import AdyenAdapter
from wallet.psp.signatures import judge_standard_webhook, judge_timed_signature
from wallet.psp.values import EventKind

VECTORS = json.loads((Path(__file__).parent / "vectors" / "adyen_notifications.json").read_text())
ADYEN_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
SLASHES_KEY = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174"
EXAMPLE = {
    "pspReference": "7914073381342284",
    "merchantReference": "TestPayment-1407325143704",
    "merchantAccountCode": "TestMerchant",
    "amount": {"currency": "EUR", "value": 1130},
    "eventCode": "AUTHORISATION",
    "success": "true",
}


# ── Adyen ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_adyen_s_published_example_holds():
    expected = "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="
    assert notifications.signature(EXAMPLE, ADYEN_KEY) == expected
    item = {**EXAMPLE, "additionalData": {"hmacSignature": expected}}
    assert notifications.judge_item(item, [ADYEN_KEY]) == Verdict.ACCEPTED
    assert notifications.judge_item({**item, "success": "false"}, [ADYEN_KEY]) == Verdict.WRONG_SIGNATURE
    assert notifications.judge_item(item, [SLASHES_KEY]) == Verdict.WRONG_SIGNATURE


@pytest.mark.parametrize("name", ["backslash", "colon", "forwardslash", "mixed"])
def test_references_with_slashes_and_colons_are_signed_unescaped(name):
    assert notifications.judge_item(VECTORS[name], [SLASHES_KEY]) == Verdict.ACCEPTED
    changed = {**VECTORS[name], "merchantReference": "slashes are fun"}
    assert notifications.judge_item(changed, [SLASHES_KEY]) == Verdict.WRONG_SIGNATURE


# The first text that is drawn builds tables; on a busy machine that takes a second.
patient = settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow], deadline=None)
texts = st.text(max_size=12)
keys = st.binary(min_size=1, max_size=40).map(bytes.hex)
items = st.fixed_dictionaries(
    {
        "pspReference": texts,
        "merchantAccountCode": texts,
        "merchantReference": texts,
        "amount": st.fixed_dictionaries({"value": st.integers(-(10**12), 10**12), "currency": texts}),
        "eventCode": texts,
        "success": st.sampled_from(["true", "false", True, False]),
    },
    optional={"originalReference": texts},
)


@patient
@given(items, keys, keys, st.sampled_from(["right", "wrong key", "changed", "junk", "none"]), texts)
def test_adyen_s_own_sdk_gives_the_same_verdict(item, key, other_key, how, junk):
    signed = {**item, "additionalData": {"hmacSignature": generate_notification_sig(item, key).decode()}}
    if how == "wrong key":
        signed["additionalData"] = {"hmacSignature": generate_notification_sig(item, other_key).decode()}
    elif how == "changed":
        signed["eventCode"] = item["eventCode"] + junk
    elif how == "junk":
        assume(junk.isascii() and junk)  # the SDK raises TypeError for others; we say "wrong"
        signed["additionalData"] = {"hmacSignature": junk}
    elif how == "none":
        del signed["additionalData"]
    theirs = is_valid_hmac_notification({"notificationItems": [{"NotificationRequestItem": signed}]}, key)
    assert (notifications.judge_item(signed, [key]) == Verdict.ACCEPTED) == bool(theirs)


@patient
@given(st.lists(items, min_size=1, max_size=4), keys, st.data())
def test_every_item_of_a_message_counts_where_the_sdk_looks_at_the_first_only(several, key, data):
    signed = [
        {**one, "additionalData": {"hmacSignature": generate_notification_sig(one, key).decode()}} for one in several
    ]
    assert notifications.judge_items(signed, [key]) == Verdict.ACCEPTED
    place = data.draw(st.integers(0, len(signed) - 1))
    signed[place] = {**signed[place], "amount": {"value": signed[place]["amount"]["value"] + 1, "currency": "EUR"}}
    assert notifications.judge_items(signed, [key]) == Verdict.WRONG_SIGNATURE
    if place:
        wrapped = {"notificationItems": [{"NotificationRequestItem": one} for one in signed]}
        assert is_valid_hmac_notification(wrapped, key), "the SDK does not see it"


values = st.recursive(texts | st.integers() | st.none(), lambda one: st.lists(one) | st.dictionaries(texts, one))


@patient
@given(st.binary(max_size=300) | values)
@example({"notificationItems": [{"NotificationRequestItem": {"additionalData": None}}]})
@example({"notificationItems": [{"NotificationRequestItem": []}]})
def test_whatever_is_sent_to_adyen_s_door_gets_a_verdict(message):
    credentials = {"merchant": "M", "webhook_secret": ADYEN_KEY}
    psp = SimpleNamespace(pk=None, base_url="http://nowhere", code="adyen", credentials=credentials)
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    judgement = AdyenAdapter(psp).judge_webhook(body, {}, now=dt.datetime.now(dt.UTC))
    assert judgement.verdict in (Verdict.MALFORMED, Verdict.NO_SIGNATURE, Verdict.WRONG_SIGNATURE)
    assert not judgement.events


# ── Adyen's banking webhooks: a signature over the whole body, in a header ──────────────────────────────────────────────

# The example of its SDK's own test, spaces and all.
BANKING = b"""
        {
            "type": "merchant.created",
            "environment": "test",
            "createdAt": "01-01-2024",
            "data": {
                "capabilities": {
                    "sendToTransferInstrument": {
                        "requested": true,
                        "requestedLevel": "notApplicable"
                    }
                },
                "companyId": "YOUR_COMPANY_ID",
                "merchantId": "YOUR_MERCHANT_ACCOUNT",
                "status": "PreActive"
            }
        }
        """
BANKING_SIGNATURE = "fX74xUdztFmaXAn3IusMFFUBUSkLmDQUK0tm8xL6ZTU="


def test_adyen_s_published_banking_example_holds():
    assert transfer_views.signature(BANKING, ADYEN_KEY) == BANKING_SIGNATURE
    judge_it = transfer_views.judge_signature
    assert judge_it(BANKING, BANKING_SIGNATURE, ["", ADYEN_KEY]) == Verdict.ACCEPTED
    assert judge_it(BANKING + b" ", BANKING_SIGNATURE, [ADYEN_KEY]) == Verdict.WRONG_SIGNATURE
    assert judge_it(BANKING, BANKING_SIGNATURE, [SLASHES_KEY]) == Verdict.WRONG_SIGNATURE
    assert judge_it(BANKING, BANKING_SIGNATURE, [""]) == Verdict.WRONG_SIGNATURE, "no key opens nothing"
    assert judge_it(BANKING, "", [ADYEN_KEY]) == Verdict.NO_SIGNATURE


@patient
@given(st.binary(max_size=200), keys, keys, st.sampled_from(["right", "wrong key", "changed", "junk"]), texts)
def test_adyen_s_own_sdk_gives_the_same_verdict_on_a_whole_body(body, key, other_key, how, junk):
    given_signature = generate_payload_sig(body, other_key if how == "wrong key" else key).decode()
    if how == "junk":
        assume(junk.isascii() and junk)
        given_signature = junk
    judged = body + b"x" if how == "changed" else body
    theirs = is_valid_hmac_payload(given_signature, key, judged)
    ours = transfer_views.judge_signature(judged, given_signature, [key])
    assert (ours == Verdict.ACCEPTED) == theirs


@patient
@given(st.dictionaries(texts | st.sampled_from(["type", "data", "environment", "timestamp"]), values), st.booleans())
@example({"type": "balancePlatform.transfer.updated", "environment": "test", "data": {"category": "bank"}}, False)
@example({"type": "balancePlatform.transfer.updated", "environment": "test", "timestamp": "x", "data": {}}, False)
@example(
    {
        "type": "balancePlatform.transfer.updated",
        "environment": "test",
        "data": {
            "category": "bank",
            "direction": "outgoing",
            "status": "booked",
            "reference": "W",
            "id": "T",
            "amount": {"value": 1, "currency": "EUR"},
            "balanceAccount": "B",
            "events": [None],
        },
    },
    False,
)
def test_a_signed_message_of_any_shape_gets_a_verdict(message, is_wrapped):
    credentials = {"merchant": "M", "webhook_secret": "", "transfer_webhook_secret": ADYEN_KEY, "balance_account": "B"}
    psp = SimpleNamespace(pk=None, base_url="http://nowhere", code="adyen", credentials=credentials)
    body = json.dumps([message] if is_wrapped else message).encode()
    headers = {"hmacsignature": transfer_views.signature(body, ADYEN_KEY)}
    judgement = AdyenAdapter(psp).judge_webhook(body, headers, now=dt.datetime.now(dt.UTC))
    assert judgement.verdict in (Verdict.MALFORMED, Verdict.OTHER_MERCHANT, Verdict.ACCEPTED, Verdict.STALE)
    assert all(event.kind == EventKind.OTHER for event in judgement.events)


# ── Stripe: the thirteen behaviours of its own test suite ────────────────────────────────────────────────────────────

SECRET, PAYLOAD = "whsec_test_secret", b'{\n  "id": "evt_test_webhook",\n  "object": "event"\n}'


def header(
    *, at: int | None = None, body: bytes = PAYLOAD, secret: str = SECRET, scheme: str = "v1", value: str = ""
) -> str:
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},{scheme}={value or digest}"


def judge(
    value: str, body: bytes = PAYLOAD, *, secrets=(SECRET,), now: float | None = None, window: int = 300
) -> Verdict:
    at = dt.datetime.fromtimestamp(time.time() if now is None else now, dt.UTC)
    return judge_timed_signature(header=value, body=body, secrets=secrets, now=at, window_seconds=window)


@pytest.mark.parametrize(
    ("make", "verdict"),
    [
        (lambda: "bad_header", Verdict.NO_SIGNATURE),
        (lambda: "i'm not even a real signature header", Verdict.NO_SIGNATURE),
        (lambda: "", Verdict.NO_SIGNATURE),
        (lambda: header(scheme="v0"), Verdict.NO_SIGNATURE),
        (lambda: header(value="bad_signature"), Verdict.WRONG_SIGNATURE),
        (lambda: header(secret="another"), Verdict.WRONG_SIGNATURE),
        (lambda: header(body=PAYLOAD + b" "), Verdict.WRONG_SIGNATURE),
        (lambda: header(), Verdict.ACCEPTED),
        (lambda: header() + ",v1=bad_signature", Verdict.ACCEPTED),
        (lambda: header() + ",v0=bad_signature", Verdict.ACCEPTED),
        (lambda: header() + ",t=1", Verdict.ACCEPTED),
        (lambda: "t=soon," + header(), Verdict.NO_SIGNATURE),
    ],
)
def test_stripe_s_headers_are_judged_as_its_sdk_does(make, verdict):
    value = make()
    assert judge(value) == verdict
    assert sdk_accepts(value, PAYLOAD, SECRET) == (verdict == Verdict.ACCEPTED)


def test_the_tolerance_is_a_window_and_no_secret_opens_nothing():
    now = time.time()
    assert judge(header(at=int(now) - 15), now=now, window=10) == Verdict.STALE
    assert judge(header(at=12345), now=12345 + 299) == Verdict.ACCEPTED
    assert judge(header(secret=""), secrets=("",)) == Verdict.WRONG_SIGNATURE


def sdk_accepts(value: str, body: bytes, secret: str, tolerance: int = 300) -> bool:
    try:
        return stripe.WebhookSignature.verify_header(body, value, secret, tolerance)
    except stripe.SignatureVerificationError:
        return False


bodies = st.text(max_size=60).map(str.encode)  # the SDK decodes UTF-8 first and stumbles over anything else
secrets = st.text(min_size=1, max_size=20).filter(lambda text: text.strip(" \t\r\n\f\v"))
others = st.lists(
    st.tuples(st.sampled_from(["v0", "v1", "v2", "x"]), st.text("0123456789abcdef", max_size=64)), max_size=3
)


@patient
@given(bodies, secrets, secrets, st.integers(-290, 3_000), others, st.booleans(), st.booleans())
def test_stripe_s_own_sdk_gives_the_same_verdict(body, secret, other, age, more, is_other_secret, is_other_body):
    stamp = int(time.time()) - age
    assume(abs(age - 300) > 5)  # both read the clock, one after the other
    right = header(at=stamp, body=body + b"!" * is_other_body, secret=other if is_other_secret else secret)
    parts = [right, *(f"{name}={value}" for name, value in more)]
    value = ",".join(parts)
    assert (judge(value, body, secrets=(secret,)) == Verdict.ACCEPTED) == sdk_accepts(value, body, secret)


@patient
@given(st.text(max_size=60), secrets)
@example("t=1,t=2,v1=x", "s")
@example("t=1,v1", "s")
@example("t=,v1=a", "s")
def test_any_header_that_we_accept_the_sdk_accepts_too(value, secret):
    assert judge(value, secrets=(secret,)) != Verdict.ACCEPTED
    assert not sdk_accepts(value, PAYLOAD, secret)


@patient
@given(bodies, secrets, st.integers(310, 10_000))
def test_the_future_is_refused_where_the_sdk_lets_it_pass(body, secret, ahead):
    value = header(at=int(time.time()) + ahead, body=body, secret=secret)
    assert sdk_accepts(value, body, secret)
    assert judge(value, body, secrets=(secret,)) == Verdict.FUTURE


@patient
@given(st.binary(max_size=60).filter(lambda body: not _is_text(body)), secrets)
def test_bytes_that_are_no_text_are_judged_as_they_came(body, secret):
    assert judge(header(body=body, secret=secret), body, secrets=(secret,)) == Verdict.ACCEPTED


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


# ── Standard Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────

STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def judge_standard(headers=STANDARD, body=STANDARD_BODY, *, key=STANDARD_SECRET, at=1614265330) -> Verdict:
    now = dt.datetime.fromtimestamp(at, dt.UTC)
    return judge_standard_webhook(headers=headers, body=body, secrets=[key], now=now)


def test_the_specification_s_own_example_holds():
    assert judge_standard() == Verdict.ACCEPTED
    assert judge_standard(key=STANDARD_SECRET.removeprefix("whsec_")) == Verdict.ACCEPTED
    assert judge_standard(at=1614265330 + 301) == Verdict.STALE
    assert judge_standard(at=1614265330 - 301) == Verdict.FUTURE
    assert judge_standard(body=STANDARD_BODY + b" ") == Verdict.WRONG_SIGNATURE
    assert judge_standard(key="whsec_no base64!") == Verdict.WRONG_SIGNATURE
    assert judge_standard({**STANDARD, "webhook-id": "msg_other"}) == Verdict.WRONG_SIGNATURE


def test_any_of_several_standard_signatures_may_fit():
    both = f"v1,{base64.b64encode(b'x' * 32).decode()} {STANDARD['webhook-signature']} v2,abc"
    assert judge_standard({**STANDARD, "webhook-signature": both}) == Verdict.ACCEPTED
    assert judge_standard({**STANDARD, "webhook-signature": "v2,abc"}) == Verdict.NO_SIGNATURE
    assert judge_standard({**STANDARD, "webhook-timestamp": "soon"}) == Verdict.NO_SIGNATURE

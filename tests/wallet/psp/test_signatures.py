"""Timed signatures: frozen examples, the window on both sides, and random bodies that only the right secret opens."""

import base64
import datetime as dt
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wallet.factories import sign
from wallet.choices.psp import Verdict
from wallet.psp.signatures import judge_standard_webhook, judge_timed_signature

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
STAMP = int(NOW.timestamp())
SECRET, BODY = "whsec_test", b'{"id":"evt_1","amount":100}'
# HMAC-SHA256 of "1614265330.{"test": 2432232314}" under "secret", computed with openssl dgst.
FROZEN = "d0c5e92cbfd6a4ad865333d1e79ed52ba82849d84281eff5e3c3233e92439630"


def judge(header: str, body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), now: dt.datetime = NOW) -> Verdict:
    return judge_timed_signature(header=header, body=body, secrets=secrets, now=now)


def test_a_frozen_example_holds():
    at = dt.datetime.fromtimestamp(1614265330, dt.UTC)
    header = f"t=1614265330,v1={FROZEN}"
    assert judge(header, b'{"test": 2432232314}', ("secret",), at) == Verdict.ACCEPTED
    assert judge(header, b'{"test": 2432232315}', ("secret",), at) == Verdict.WRONG_SIGNATURE


def test_the_right_signature_is_accepted():
    assert judge(sign(SECRET, BODY, STAMP)) == Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (0, Verdict.ACCEPTED),
        (300, Verdict.ACCEPTED),
        (301, Verdict.STALE),
        (-300, Verdict.ACCEPTED),
        (-301, Verdict.FUTURE),
    ],
)
def test_the_window_has_two_sides(age, verdict):
    assert judge(sign(SECRET, BODY, STAMP - age)) == verdict


def test_any_of_several_signatures_and_secrets_may_fit():
    right = sign(SECRET, BODY, STAMP).split("v1=")[1]
    assert judge(f"t={STAMP},v1=00,v1={right},v0=ff") == Verdict.ACCEPTED
    assert judge(sign("old", BODY, STAMP), secrets=(SECRET, "old")) == Verdict.ACCEPTED
    assert judge(sign("older", BODY, STAMP), secrets=(SECRET, "old", "")) == Verdict.WRONG_SIGNATURE


def test_a_signature_of_an_older_scheme_does_not_count():
    right = sign(SECRET, BODY, STAMP).split("v1=")[1]
    assert judge(f"t={STAMP},v0={right}") == Verdict.NO_SIGNATURE


@pytest.mark.parametrize(
    "header", ["", "t=", "v1=aa", "t=x,v1=aa", f"t=-{STAMP},v1=aa", "t=99999999999999999,v1=a", "===,,,"]
)
def test_a_header_that_makes_no_sense_is_no_signature(header):
    assert judge(header) == Verdict.NO_SIGNATURE


def test_an_empty_secret_opens_nothing():
    assert judge(sign("", BODY, STAMP), secrets=("",)) == Verdict.WRONG_SIGNATURE


def test_moving_the_time_breaks_the_signature():
    header = sign(SECRET, BODY, STAMP - 3600).replace(str(STAMP - 3600), str(STAMP))
    assert judge(header) == Verdict.WRONG_SIGNATURE


@given(
    st.binary(max_size=200), st.text(min_size=1, max_size=20), st.binary(min_size=1, max_size=5), st.integers(-300, 300)
)
def test_only_the_very_bytes_and_the_very_secret_are_accepted(body, secret, more, age):
    header = sign(secret, body, STAMP - age)
    assert judge(header, body, (secret,)) == Verdict.ACCEPTED
    assert judge(header, body + more, (secret,)) == Verdict.WRONG_SIGNATURE
    assert judge(header, body, (secret + "x",)) == Verdict.WRONG_SIGNATURE


@pytest.mark.parametrize("prefix", ["", "whsec_"])
@pytest.mark.parametrize("key", [b"k" * 24, b"k" * 25, b"k" * 26, b"k" * 32])
def test_a_standard_secret_needs_no_padding(prefix, key):
    """Providers hand secrets out with and without the `=` at the end; both are the same key."""
    padded = base64.b64encode(key).decode()
    right = base64.b64encode(hmac.new(key, f"msg_1.{STAMP}.".encode() + BODY, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(STAMP), "webhook-signature": f"v1,{right}"}
    for secret in {padded, padded.rstrip("="), f" {padded.rstrip('=')} "}:
        told = judge_standard_webhook(headers=headers, body=BODY, secrets=[prefix + secret.strip()], now=NOW)
        assert told == Verdict.ACCEPTED, secret
    for secret in ("", "=", "whsec_", "whsec_!", "whsec_a", padded[:-5]):
        assert judge_standard_webhook(headers=headers, body=BODY, secrets=[secret], now=NOW) == Verdict.WRONG_SIGNATURE

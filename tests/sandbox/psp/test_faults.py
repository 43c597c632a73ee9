"""Every fault switch does what it says, and stops when it should."""

import hashlib
import hmac
import time

import httpx
import pytest

from sandbox.psp.characters import CHARACTERS
from tests.sandbox.psp.running import Catcher, RunningPsp, wait_until
from tests.sandbox.psp.test_payments_and_payouts import PAYOUT, SESSION


def _signed_right(headers: dict[str, str], body: bytes, psp: str = "quickpurse") -> bool:
    stamp, signature = (part.split("=")[1] for part in headers["sandbox-signature"].split(","))
    expected = hmac.new(CHARACTERS[psp].webhook_secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return hmac.compare_digest(expected.hexdigest(), signature)


def _pay(psp: RunningPsp, reference: str = "D-1", code: str = "quickpurse") -> None:
    psp.call(code, "POST", "/payments", {**SESSION, "reference": reference}).raise_for_status()
    psp.play(code, reference)


def test_webhooks_are_signed_over_time_and_raw_body(psp: RunningPsp, catcher: Catcher) -> None:
    _pay(psp)
    headers, body = wait_until(lambda: catcher.received)[0]
    assert _signed_right(headers, body)
    assert not _signed_right(headers, body + b" ")


def test_a_webhook_comes_again_until_it_is_taken(psp: RunningPsp, catcher: Catcher) -> None:
    catcher.status = 500
    _pay(psp)
    wait_until(lambda: len(catcher.received) >= 1)
    catcher.status = 200
    wait_until(lambda: psp.deliveries()[0]["state"] == "done")
    assert catcher.events[0]["id"] == catcher.events[1]["id"]


def test_duplicates_carry_one_id(psp: RunningPsp, catcher: Catcher) -> None:
    psp.fault("webhook_duplicate", 2, times=1)
    _pay(psp)
    wait_until(lambda: len(catcher.received) == 3)
    assert len({event["id"] for event in catcher.events}) == 1


def test_a_forged_signature_does_not_verify(psp: RunningPsp, catcher: Catcher) -> None:
    psp.fault("webhook_forge", times=1)
    _pay(psp)
    headers, body = wait_until(lambda: catcher.received)[0]
    assert not _signed_right(headers, body)


def test_a_stale_webhook_is_signed_in_the_past(psp: RunningPsp, catcher: Catcher) -> None:
    psp.fault("webhook_stale", 3600, times=1)
    _pay(psp)
    headers, body = wait_until(lambda: catcher.received)[0]
    assert _signed_right(headers, body)
    assert time.time() - int(headers["sandbox-signature"].split(",")[0][2:]) > 3500


def test_a_tampered_amount_is_signed_right(psp: RunningPsp, catcher: Catcher) -> None:
    psp.fault("webhook_tamper", 100, times=1)
    _pay(psp)
    headers, body = wait_until(lambda: catcher.received)[0]
    assert _signed_right(headers, body)
    assert catcher.events[0]["data"]["received_minor"] == 50_100


def test_a_delayed_webhook_comes_when_the_wait_is_over(psp: RunningPsp, catcher: Catcher) -> None:
    psp.fault("webhook_delay", 600, times=1)
    _pay(psp)
    time.sleep(0.4)
    assert not catcher.received
    psp.control("finish")
    wait_until(lambda: catcher.received)


def test_held_webhooks_leave_newest_first(psp: RunningPsp, catcher: Catcher) -> None:
    psp.fault("webhook_reorder", 2, times=2)
    _pay(psp, "D-1")
    _pay(psp, "D-2")
    wait_until(lambda: len(catcher.received) == 2)
    assert [event["data"]["reference"] for event in catcher.events] == ["D-2", "D-1"]


def test_a_dropped_webhook_is_found_by_look_up_only(psp: RunningPsp, catcher: Catcher) -> None:
    psp.fault("webhook_drop", times=1)
    _pay(psp)
    assert psp.deliveries()[0]["state"] == "dropped"
    assert psp.call("quickpurse", "GET", "/payments?reference=D-1").json()["status"] == "captured"
    assert not catcher.received


def test_an_outage_answers_503_for_one_psp_only(psp: RunningPsp) -> None:
    psp.fault("outage", psp="northpay")
    assert psp.call("northpay", "GET", "/health").status_code == 503
    assert psp.call("cardinal", "GET", "/health").status_code == 200
    psp.control("faults", {"clear": True})
    assert psp.call("northpay", "GET", "/health").status_code == 200


def test_a_lost_answer_is_booked_nevertheless(psp: RunningPsp) -> None:
    psp.fault("lose_answer", times=1)
    with pytest.raises(httpx.TransportError):
        psp.call("northpay", "POST", "/payouts", PAYOUT)
    assert psp.call("northpay", "GET", "/payouts?reference=W-1").status_code == 200


def test_a_reset_books_nothing(psp: RunningPsp) -> None:
    psp.fault("reset", times=1)
    with pytest.raises(httpx.TransportError):
        psp.call("northpay", "POST", "/payouts", PAYOUT)
    assert psp.call("northpay", "GET", "/payouts?reference=W-1").status_code == 404


def test_a_late_answer_is_booked_before_it_comes(psp: RunningPsp) -> None:
    psp.fault("late_answer", 0.5, times=1)
    started = time.monotonic()
    assert psp.call("northpay", "POST", "/payouts", PAYOUT).status_code == 201
    assert time.monotonic() - started >= 0.5


def test_a_hanging_payout_stays_pending(psp: RunningPsp) -> None:
    psp.fault("payout_hang", times=1)
    psp.call("northpay", "POST", "/payouts", PAYOUT)
    time.sleep(0.4)
    assert psp.call("northpay", "GET", "/payouts?reference=W-1").json()["status"] == "pending"


def test_an_unknown_switch_names_the_known_ones(psp: RunningPsp) -> None:
    answer = httpx.post(f"{psp.url}/_control/faults", json={"name": "magic", "value": True})
    assert answer.status_code == 400
    assert "webhook_forge" in answer.json()["error"]["message"]

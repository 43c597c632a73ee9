"""The sandbox PSP does with money what a real one does."""

import csv
import io
import json
import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.psp.characters import CHARACTERS
from sandbox.psp.history import HistoryFile
from sandbox.psp.money import major, share
from tests.sandbox.psp.running import Catcher, RunningPsp, wait_until

SESSION = {"reference": "D-1", "amount_minor": 50_000, "currency": "EUR", "return_url": "http://shop.example/back?a=1"}
PAYOUT = {
    "reference": "W-1",
    "amount_minor": 20_000,
    "currency": "EUR",
    "destination": {"iban": "DE02500105170137075030"},
}


def test_a_payment_is_made_paid_and_announced(psp: RunningPsp, catcher: Catcher) -> None:
    session = psp.call("northpay", "POST", "/payments", SESSION).json()
    assert session["status"] == "created"
    psp.play("northpay", "D-1")
    wait_until(lambda: "payment.captured" in catcher.types)
    captured = next(event for event in catcher.events if event["type"] == "payment.captured")
    assert captured["data"]["received_minor"] == 50_000
    assert captured["data"]["reference"] == "D-1"
    assert psp.call("northpay", "GET", "/payments?reference=D-1").json()["status"] == "captured"


def test_paying_twice_captures_once(psp: RunningPsp, catcher: Catcher) -> None:
    psp.call("quickpurse", "POST", "/payments", SESSION)
    psp.play("quickpurse", "D-1")
    psp.play("quickpurse", "D-1")
    psp.call("quickpurse", "POST", "/payments", {**SESSION, "reference": "D-2"})
    psp.play("quickpurse", "D-2")
    wait_until(lambda: len(catcher.types) == 2)
    assert {event["data"]["reference"] for event in catcher.events} == {"D-1", "D-2"}


def test_a_slow_psp_is_pending_first(psp: RunningPsp, catcher: Catcher) -> None:
    psp.call("sepalink", "POST", "/payments", SESSION)
    assert psp.play("sepalink", "D-1")["status"] == "pending"
    wait_until(lambda: catcher.types == ["payment.pending", "payment.captured"])


def test_the_same_reference_answers_the_first_payment_and_another_body_is_refused(psp: RunningPsp) -> None:
    first = psp.call("northpay", "POST", "/payments", SESSION).json()
    assert psp.call("northpay", "POST", "/payments", SESSION).json()["id"] == first["id"]
    other = psp.call("northpay", "POST", "/payments", {**SESSION, "amount_minor": 1})
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "reference_reused"


@pytest.mark.parametrize("kind", ["payouts", "payments"])
def test_a_wrong_key_is_refused(psp: RunningPsp, kind: str) -> None:
    answer = httpx.post(f"{psp.url}/northpay/v1/{kind}", json=SESSION, headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


@pytest.mark.parametrize("amount", [0, -1, 1.5, "100", True, 10**16, None])
def test_an_amount_that_is_no_amount_is_refused(psp: RunningPsp, amount: Any) -> None:
    assert psp.call("northpay", "POST", "/payments", {**SESSION, "amount_minor": amount}).status_code == 400


def test_an_unknown_currency_says_which_are_taken(psp: RunningPsp) -> None:
    answer = psp.call("sepalink", "POST", "/payments", {**SESSION, "currency": "USD"})
    assert answer.json()["error"]["message"] == "SEPA Link takes EUR, not USD."


def test_a_payout_is_paid_and_found_by_reference(psp: RunningPsp, catcher: Catcher) -> None:
    assert psp.call("northpay", "POST", "/payouts", PAYOUT).json()["status"] == "pending"
    wait_until(lambda: catcher.types == ["payout.paid"])
    assert psp.call("northpay", "GET", "/payouts?reference=W-1").json()["status"] == "paid"
    assert psp.call("northpay", "GET", "/payouts?reference=W-2").status_code == 404


def test_a_payout_can_fail_with_a_reason(psp: RunningPsp, catcher: Catcher) -> None:
    psp.fault("payout_fail", "account_closed", times=1)
    psp.call("northpay", "POST", "/payouts", PAYOUT)
    wait_until(lambda: catcher.types == ["payout.failed"])
    assert catcher.events[0]["data"]["failure"] == "account_closed"


def test_refunds_never_exceed_what_was_paid(psp: RunningPsp, catcher: Catcher) -> None:
    payment = psp.call("northpay", "POST", "/payments", SESSION).json()
    psp.play("northpay", "D-1")
    refund = {"reference": "R-1", "amount_minor": 30_000, "currency": "EUR"}
    assert psp.call("northpay", "POST", f"/payments/{payment['id']}/refunds", refund).status_code == 201
    again = psp.call("northpay", "POST", f"/payments/{payment['id']}/refunds", {**refund, "reference": "R-2"})
    assert again.status_code == 409
    wait_until(lambda: "refund.paid" in catcher.types)


def test_a_chargeback_and_its_reversal_are_announced(psp: RunningPsp, catcher: Catcher) -> None:
    psp.call("cardinal", "POST", "/payments", SESSION)
    psp.play("cardinal", "D-1")
    psp.play("cardinal", "D-1", "chargeback")
    psp.play("cardinal", "D-1", "chargeback-reversal")
    wait_until(lambda: len(catcher.types) == 3)
    assert sorted(catcher.types) == ["payment.captured", "payment.chargeback", "payment.chargeback_reversed"]


def _report(psp: RunningPsp) -> list[dict[str, str]]:
    day = datetime.now(UTC).date()
    answer = psp.call("northpay", "GET", f"/settlements?from={day}&to={day}")
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def _fill(psp: RunningPsp) -> None:
    for number in range(3):
        psp.call("northpay", "POST", "/payments", {**SESSION, "reference": f"D-{number}"})
        psp.play("northpay", f"D-{number}")
    psp.call("northpay", "POST", "/payouts", PAYOUT)
    wait_until(lambda: psp.call("northpay", "GET", "/payouts?reference=W-1").json()["status"] == "paid")


def _adds_up(rows: list[dict[str, str]]) -> bool:
    total = sum(Decimal(row["net"]) for row in rows if row["record"] in ("opening", "row"))
    return total == Decimal(next(row["net"] for row in rows if row["record"] == "closing"))


def test_a_settlement_report_proves_itself(psp: RunningPsp) -> None:
    _fill(psp)
    rows = _report(psp)
    payment = next(row for row in rows if row["merchant_reference"] == "D-0")
    assert (payment["gross"], payment["fee"], payment["net"]) == ("500.00", "9.75", "490.25")
    payout = next(row for row in rows if row["type"] == "payout")
    assert (payout["gross"], payout["fee"], payout["net"]) == ("-200.00", "1.00", "-201.00")
    assert _adds_up(rows)


@pytest.mark.parametrize(
    ("kind", "rows_more", "adds_up"),
    [
        ("amount", 0, True),
        ("fee", 0, True),
        ("missing_row", -1, True),
        ("extra_row", 1, True),
        ("duplicate_row", 1, True),
        ("totals", 0, False),
    ],
)
def test_a_difference_can_be_planted(psp: RunningPsp, kind: str, rows_more: int, adds_up: bool) -> None:
    _fill(psp)
    right = _report(psp)
    psp.fault("settlement_difference", kind, times=1)
    wrong = _report(psp)
    assert wrong != right
    assert len(wrong) - len(right) == rows_more
    assert _adds_up(wrong) is adds_up
    assert _report(psp) == right


def test_history_can_be_given_and_is_taken_once(psp: RunningPsp) -> None:
    movement = {
        "type": "payment",
        "psp_reference": "pay_old",
        "merchant_reference": "D-old",
        "gross_minor": 1000,
        "fee_minor": 44,
        "currency": "EUR",
        "created_at": "2026-10-05T10:00:00+00:00",
    }
    assert psp.control("northpay/history", {"movements": [movement]}) == {"received": 1, "added": 1}
    assert psp.control("northpay/history", {"movements": [movement]}) == {"received": 1, "added": 0}
    text = psp.call("northpay", "GET", "/settlements?from=2026-10-01&to=2026-10-31").text
    assert "pay_old,D-old" in text
    assert "merchant_payout,northpay-20261012-EUR,,,2026-10-12T06:00:00Z,EUR,-9.56,0.00,-9.56" in text


def test_a_payment_of_the_past_can_be_given_back_up_to_what_is_left_of_it(psp: RunningPsp) -> None:
    paid = {
        "type": "payment",
        "psp_reference": "pay_old",
        "merchant_reference": "D-old",
        "gross_minor": 1000,
        "currency": "EUR",
        "created_at": "2026-10-05T10:00:00+00:00",
    }
    back = {
        **paid,
        "type": "refund",
        "psp_reference": "re_old",
        "merchant_reference": "W-old",
        "gross_minor": -400,
        "original_reference": "pay_old",
    }
    psp.control("northpay/history", {"movements": [paid, back]})
    refund = {"reference": "W-1", "amount_minor": 700, "currency": "EUR"}
    assert psp.call("northpay", "POST", "/payments/pay_old/refunds", refund).json()["error"]["code"] == "not_refundable"
    answer = psp.call(
        "northpay", "POST", "/payments/pay_old/refunds", {**refund, "reference": "W-2", "amount_minor": 600}
    )
    assert answer.json()["status"] == "pending"


def test_a_history_file_is_loaded_when_it_appears_and_a_bad_one_takes_nothing_in(
    psp: RunningPsp, tmp_path: Path
) -> None:
    file = HistoryFile(psp.store, tmp_path / "history.jsonl")
    assert file.look() is None
    line = {
        "psp": "kassa",
        "type": "payment",
        "psp_reference": "p",
        "merchant_reference": "D",
        "gross_minor": 100,
        "currency": "EUR",
        "created_at": "2026-10-05T10:00:00+00:00",
    }
    file.path.write_text(json.dumps(line) + "\n" + json.dumps({**line, "psp": "nobody"}))
    with pytest.raises(ValueError, match="Movement 1"):
        file.look()
    file.path.write_text(json.dumps(line) + "\n")
    assert file.look() == 1
    assert file.look() is None


def test_minor_units_are_written_exactly() -> None:
    assert [major(-5, "EUR"), major(123, "JPY"), major(1, "BTC"), major(1_234_567, "KWD")] == [
        "-0.05",
        "123",
        "0.00000001",
        "1234.567",
    ]
    assert share(50_000, 190) == 950
    assert CHARACTERS["northpay"].fee(50_000) == 975


def test_state_survives_a_restart(psp: RunningPsp) -> None:
    psp.call("northpay", "POST", "/payments", SESSION)
    path = psp.store.row("PRAGMA database_list")["file"]
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT reference FROM payments").fetchall() == [("D-1",)]
    other.close()

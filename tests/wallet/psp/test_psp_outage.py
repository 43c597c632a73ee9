"""Every call to a PSP is noted; one that stops answering is down for a while, and up again with its first answer."""

import datetime as dt

import pytest
from django.utils import timezone

from crm.models import Notification
from wallet.choices.psp import CallOutcome
from wallet.models import PspCall
from wallet.psp import adapter_of, calls
from wallet.psp.errors import PspUnknown, PspUnreachable
from wallet.psp.setup import is_down

pytestmark = pytest.mark.django_db


def ask(psp):
    return adapter_of(psp).find_payment("D-UNKNOWN")


def ask_in_vain(psp, times=1, error=PspUnknown):
    for _ in range(times):
        with pytest.raises(error):
            ask(psp)
    psp.refresh_from_db()


def test_an_answered_call_is_noted_with_its_time(outside):
    assert adapter_of(outside.psp).check_connection().is_up
    noted = PspCall.objects.get()
    assert (noted.operation, noted.outcome, noted.status) == ("GET /northpay/v1/health", CallOutcome.ANSWERED, 200)
    assert noted.milliseconds < 10_000


def test_a_refusal_is_an_answer(outside):
    for _ in range(4):
        assert ask(outside.psp) is None
    outside.psp.refresh_from_db()
    assert set(PspCall.objects.values_list("outcome", flat=True)) == {CallOutcome.REFUSED}
    assert not is_down(outside.psp)


def test_three_failures_in_a_row_are_an_outage_and_one_answer_ends_it(outside, cast):
    outside.running.fault("outage", psp="northpay")
    ask_in_vain(outside.psp, 2)
    assert not is_down(outside.psp)
    ask_in_vain(outside.psp)
    assert is_down(outside.psp)
    assert Notification.objects.filter(kind="wallet.psp_down", user=cast.finance).count() == 1
    ask_in_vain(outside.psp)
    assert Notification.objects.filter(kind="wallet.psp_down", user=cast.finance).count() == 1
    outside.running.control("faults", {"clear": True})
    assert ask(outside.psp) is None
    outside.psp.refresh_from_db()
    assert not is_down(outside.psp)


def test_a_connection_that_is_refused_or_cut_is_told_apart(outside):
    outside.running.fault("reset", psp="northpay", times=1)
    ask_in_vain(outside.psp)
    outside.psp.base_url = "http://127.0.0.1:9"
    with pytest.raises(PspUnreachable):
        ask(outside.psp)
    assert list(PspCall.objects.order_by("id").values_list("outcome", "status")) == [
        (CallOutcome.UNKNOWN, 0),
        (CallOutcome.UNREACHABLE, 0),
    ]


def test_an_outage_passes_by_itself_and_begins_again_with_one_more_failure(outside, time_machine):
    time_machine.move_to(timezone.now())
    outside.running.fault("outage", psp="northpay")
    ask_in_vain(outside.psp, 3)
    time_machine.shift(calls.DOWN_FOR + dt.timedelta(seconds=1))
    assert not is_down(outside.psp)
    ask_in_vain(outside.psp)
    assert is_down(outside.psp)


def test_old_failures_do_not_count(outside, time_machine):
    time_machine.move_to(timezone.now())
    outside.running.fault("outage", psp="northpay")
    ask_in_vain(outside.psp, 2)
    time_machine.shift(calls.WINDOW)
    ask_in_vain(outside.psp)
    assert not is_down(outside.psp)


def test_only_the_newest_calls_are_kept(outside, monkeypatch):
    monkeypatch.setattr(calls, "KEPT_PER_PSP", 3)
    newest = [
        PspCall.objects.create(
            psp=outside.psp, at=timezone.now(), operation=f"old {n}", outcome="answered", milliseconds=1
        ).pk
        for n in range(5)
    ]
    ask(outside.psp)
    kept = list(PspCall.objects.order_by("id").values_list("pk", flat=True))
    assert kept[:2] == newest[-2:] and len(kept) == 3


def test_a_path_is_noted_without_references():
    assert calls.operation_of("http://h/stripe/v1/checkout/sessions/cs_test_a1B2c3") == "/stripe/v1/checkout/sessions/…"
    assert calls.operation_of("https://h/v72/payments/8815628312345678/refunds") == "/v72/payments/…/refunds"
    assert (
        calls.operation_of("https://h/pal/servlet/Payout/v68/confirmThirdParty")
        == "/pal/servlet/Payout/v68/confirmThirdParty"
    )

"""Exchange rates entered by hand: by one person, approved by another, within what the last rate makes believable."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from guardian.shortcuts import assign_perm

from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, FxRate, Notification
from crm.rates import fx
from tests.days import today, yesterday
from wallet.models import RateEntry
from wallet.transfers.rate_entries import propose_rate

pytestmark = pytest.mark.django_db
WHY = "Page of the central bank"


@pytest.fixture(autouse=True)
def known(cast):
    """Both of finance reach every brand; the last rate of the dirham is of four days ago."""
    for user in (cast.finance, cast.second_finance):
        assign_perm("crm.access_brand", user, cast.other_brand)
    FxRate.objects.filter(currency="AED").delete()
    FxRate.objects.create(on=today() - dt.timedelta(days=4), currency="AED", rate=Decimal("4.0000"), source="ECB")


def enter(cast, rate: str = "4.1000", **fields) -> RateEntry:
    values = {"currency": "AED", "on": today(), "reason": WHY, "actor": cast.finance, **fields}
    return propose_rate(rate=Decimal(rate), **values)


def test_a_rate_counts_once_a_second_person_approves_it(cast):
    entry = enter(cast)
    assert fx.rate("EUR", "AED", on=today()).rate == 4, "one person changes no rate"
    assert Notification.objects.filter(user=cast.second_finance, kind="wallet.rate_entered").exists()
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(RateEntry, entry.pk, actor=cast.finance)
    with pytest.raises(NotAllowed):
        approvals.approve(RateEntry, entry.pk, actor=cast.agent)
    approvals.approve(RateEntry, entry.pk, actor=cast.second_finance)
    rate = fx.rate("EUR", "AED", on=today())
    assert (rate.rate, rate.on) == (Decimal("4.1"), today()) and rate.is_fresh(now=timezone.now(), bank_days_max=1)
    assert FxRate.objects.get(currency="AED", on=today()).source == "Entered by hand"
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"wallet.rate_entered", "wallet.rate_approved"} <= actions


@pytest.mark.parametrize("rate", ["4.21", "3.79", "41.0"])
def test_a_rate_far_from_the_last_one_has_to_be_confirmed(cast, rate):
    with pytest.raises(DomainError, match="away from the last one"):
        enter(cast, rate)
    entry = enter(cast, rate, is_far=True)
    assert (entry.is_far, entry.last_rate) == (True, 4)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"currency": "EUR"}, "can't be entered"),
        ({"currency": "USDT"}, "can't be entered"),
        ({"currency": "USC"}, "can't be entered"),
        ({"currency": "XXX"}, "can't be entered"),
        ({"rate": "0"}, "above zero"),
        ({"rate": "1e12"}, "above zero"),
        ({"reason": " "}, "Enter a reason"),
        ({"on": 1}, "not in the future"),
        ({"on": -8}, "last 7 days"),
        ({"on": -4}, "Enter one for a later day"),
    ],
)
def test_what_is_no_rate_is_refused_in_words(cast, fields, words):
    if "on" in fields:  # days from today, asked for now: a run may last over midnight
        fields = {"on": today() + dt.timedelta(days=fields["on"])}
    with pytest.raises(DomainError, match=words):
        enter(cast, **fields)
    assert not RateEntry.objects.exists()


def test_a_newer_rate_of_a_feed_goes_before_one_that_waits(cast):
    entry = enter(cast, on=yesterday())
    FxRate.objects.create(on=today(), currency="AED", rate=Decimal("4.0200"), source="ECB")
    with pytest.raises(DomainError, match="Enter one for a later day"):
        approvals.approve(RateEntry, entry.pk, actor=cast.second_finance)
    approvals.reject(RateEntry, entry.pk, actor=cast.second_finance, note="The feed has it")
    assert FxRate.objects.filter(currency="AED").order_by("-on").first().rate == Decimal("4.02")


def test_one_rate_of_a_day_waits_and_its_author_withdraws_it(cast):
    entry = enter(cast)
    with pytest.raises(WrongState, match="already awaiting"):
        enter(cast, actor=cast.second_finance)
    with pytest.raises(NotAllowed):
        approvals.withdraw(RateEntry, entry.pk, actor=cast.second_finance)
    approvals.withdraw(RateEntry, entry.pk, actor=cast.finance)
    with pytest.raises(WrongState):
        approvals.approve(RateEntry, entry.pk, actor=cast.second_finance)
    assert not FxRate.objects.filter(currency="AED", on=today()).exists()


def test_who_reaches_one_brand_only_enters_no_rate_for_all(cast, browse):
    with pytest.raises(NotAllowed):
        enter(cast, actor=cast.administrator)
    entry = enter(cast)
    rows = RateEntry.objects.filter(pk=entry.pk)
    for fields in ({"state": "approved", "decided_by": cast.finance, "decided_at": timezone.now()}, {"rate": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**fields)


def test_the_page_shows_the_source_and_lets_the_other_one_approve(cast, browse):
    data = {"currency": "aed", "rate": "4.5", "on": today().isoformat(), "reason": WHY}
    refused = browse(cast.finance).post("/money/rates/enter/", data)
    assert refused.status_code == 422 and "away from the last one" in refused.content.decode()
    assert WHY in refused.content.decode(), "nothing typed is lost"
    browse(cast.finance).post("/money/rates/enter/", {**data, "is_far": "on"})
    entry = RateEntry.objects.get()
    assert "Withdraw proposal" in browse(cast.finance).get("/money/rates/").content.decode()
    shown = browse(cast.second_finance).get("/money/rates/").content.decode()
    assert "Approve" in shown and "Far from the last rate, confirmed" in shown and WHY in shown
    browse(cast.second_finance).post(f"/approvals/rate-entry/{entry.pk}/approve/", {"note": ""})
    assert "Entered by hand" in browse(cast.auditor).get("/money/rates/").content.decode()

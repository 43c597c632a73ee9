"""Payouts by the schedule of a partner's terms: once each, to where they chose, and refused ones with the reason."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from crm.security import audit
from ib import payouts, settlement, tasks
from ib.choices import PayoutTo
from ib.models import AutomaticPayout, Payout, PayoutRequest, SettlementTerms
from ib.payouts import Destination
from ib.settlements.automatic_payouts import choose_destination, last_day, pay_due, retry_payout
from tests.cast import PASSWORD
from tests.ib.test_payouts import IBAN, bank_of, paid, text_of  # noqa: F401 (a fixture)
from tests.ib.test_settlement_pages import agree, trade
from wallet.ledger import posting
from wallet.models import Withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def due(paid, cast):
    """The sub's terms pay after each settlement; EUR 60 of before and one settlement of EUR 6 wait."""
    agree(cast, paid.sub, cycle="instant", payout_schedule="settled")
    trade(paid)
    settlement.settle_cycles(brand=cast.brand)
    return paid


def to_bank(network, cast):
    offer = next(o for o in payouts.offers(network.sub, ["EUR"]) if o.destination.to == PayoutTo.BANK)
    destination = Destination(PayoutTo.BANK, bank_of(network), {"iban": IBAN, "holder": cast.other_client.full_name})
    return choose_destination(partner_id=network.sub.pk, offer=offer, destination=destination, actor=network.sub.user)


def test_the_balance_is_paid_once_after_each_settlement(due, cast):
    for _time in range(2):
        tasks.settle_due_periods()
    row = AutomaticPayout.objects.get()
    assert (row.state, row.amount, row.payout.destination, row.payout.paid_by) == ("paid", 66, "wallet", None)
    assert posting.balance(posting.wallet_of(cast.other_client, "EUR")) == 6600
    trade(due, lots="0.5")
    tasks.settle_due_periods()
    assert [row.amount for row in AutomaticPayout.objects.order_by("pk")] == [66, 3]
    assert Notification.objects.filter(user=due.sub.user, kind="ib.payout_made").count() == 2


def test_nothing_is_due_from_before_the_terms_or_below_the_minimum(paid, cast):
    agree(cast, paid.sub, cycle="instant", payout_schedule="settled", minimum=Decimal(100))
    assert pay_due(cast.brand) == 0
    agree(cast, paid.sub, cycle="instant")
    trade(paid)
    settlement.settle_cycles(brand=cast.brand)
    agree(cast, paid.sub, cycle="instant", payout_schedule="settled", minimum=Decimal(100))
    assert pay_due(cast.brand) == 0 and not AutomaticPayout.objects.exists()


def test_it_goes_to_the_bank_by_the_withdrawals_checks(due, cast):
    chosen = to_bank(due, cast)
    assert chosen.label.endswith("IBAN •••• 3000") and IBAN not in str(bytes(chosen.sealed_details))
    pay_due(cast.brand)
    row = AutomaticPayout.objects.get()
    withdrawal = Withdrawal.objects.get()
    assert (row.state, row.payout.reference, withdrawal.amount_minor) == ("paid", withdrawal.reference, 6600)
    with pytest.raises(NotAllowed):
        offer = payouts.offers(due.sub, ["EUR"])[0]
        choose_destination(partner_id=due.sub.pk, offer=offer, destination=offer.destination, actor=cast.finance)


def test_a_refused_one_says_why_and_is_tried_again(due, cast, browse):
    to_bank(due, cast)
    cast.other_client.restrictions = ["no_withdrawal"]
    cast.other_client.save(update_fields=["restrictions"])
    assert pay_due(cast.brand) == 1 and pay_due(cast.brand) == 0
    row = AutomaticPayout.objects.get()
    assert (row.state, settlement.balances_of(due.sub)["EUR"]) == ("refused", 66) and row.refusal
    assert not Payout.objects.exists() and not Withdrawal.objects.exists()
    assert AuditEvent.objects.filter(action="ib.payout_refused").count() == 1
    finance = browse(cast.finance)
    assert row.refusal in text_of(finance.get(reverse("ib_payouts") + "?state=refused"))
    assert row.refusal in text_of(browse(due.sub.user).get(reverse("partner_payouts")))
    address = reverse("ib_payout_retry", args=[row.pk])
    assert "refused again" in text_of(finance.post(address, follow=True))
    with pytest.raises(NotAllowed):
        retry_payout(automatic_payout_id=row.pk, actor=cast.ib_manager)
    cast.other_client.restrictions = []
    cast.other_client.save(update_fields=["restrictions"])
    assert "Payout made" in text_of(finance.post(address, follow=True))
    row.refresh_from_db()
    assert (row.state, row.tries, Withdrawal.objects.get().amount_minor) == ("paid", 3, 6600)
    retried = AuditEvent.objects.filter(action="ib.payout_retried").order_by("pk")
    assert [(event.actor_id, audit.body_of(event)["after"]["state"]) for event in retried] == [
        (cast.finance.pk, "refused"),
        (cast.finance.pk, "paid"),
    ]
    with pytest.raises((WrongState, DomainError)):
        retry_payout(automatic_payout_id=row.pk, actor=cast.finance)
    assert Payout.objects.count() == 1


def test_above_the_limit_it_waits_for_a_second_person(due, cast):
    agree(cast, due.sub, cycle="instant", payout_schedule="settled", approval_above=Decimal(10))
    trade(due)
    settlement.settle_cycles(brand=cast.brand)
    pay_due(cast.brand)
    row = AutomaticPayout.objects.get()
    assert (row.state, row.request.reason) == ("waiting", "Automatic payout by the settlement terms")
    approvals.approve(PayoutRequest, row.request_id, actor=cast.finance)
    assert Payout.objects.get().amount == 72


def test_the_partner_chooses_the_destination_with_their_password(due, cast, browse):
    due.sub.user.set_password(PASSWORD)
    due.sub.user.save()
    browser, page = browse(due.sub.user), reverse("partner_payout_target")
    data = {"to": f"bank:{bank_of(due)}", "iban": IBAN, "holder": cast.other_client.full_name}
    assert browser.post(page, {**data, "iban": ""}).status_code == 422
    assert browser.post(page, data)["Location"].startswith("/accounts/reauthenticate/")
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert browser.post(page, data)["Location"] == reverse("partner_payouts")
    assert "•••• 3000" in text_of(browser.get(reverse("partner_payouts")))


@pytest.mark.parametrize(
    ("schedule", "day", "now", "expected"),
    [
        ("weekly", 1, "2026-11-25T00:30", "2026-11-22T23:00"),  # Monday in Berlin
        ("weekly", 3, "2026-11-24T23:30", "2026-11-24T23:00"),  # Wednesday has begun there
        ("monthly", 5, "2026-03-04T12:00", "2026-02-04T23:00"),
        ("monthly", 28, "2026-04-28T12:00", "2026-04-27T22:00"),
    ],
)
def test_the_schedules_day_begins_at_the_brands_midnight(schedule, day, now, expected):
    terms = SettlementTerms(payout_schedule=schedule, payout_day=day)
    found = last_day(terms, dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC), ZoneInfo("Europe/Berlin"))
    assert found == dt.datetime.fromisoformat(expected).replace(tzinfo=dt.UTC)


def test_a_weekly_payout_pays_what_was_credited_before(paid, cast):
    terms = agree(cast, paid.sub, payout_schedule="weekly")
    assert pay_due(cast.brand) == 0  # the terms are from after Monday
    SettlementTerms.objects.filter(pk=terms.pk).update(decided_at=timezone.now() - dt.timedelta(days=8))
    assert [pay_due(cast.brand), pay_due(cast.brand)] == [1, 0]
    assert AutomaticPayout.objects.get().amount == 60

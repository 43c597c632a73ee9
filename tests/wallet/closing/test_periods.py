"""Months are closed in order with a carry-forward, take nothing afterwards, and are opened again by two people only."""

import contextlib
import datetime as dt
import threading
import time

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm import approvals
from crm.choices import ApprovalState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Job, Notification, User
from tests.days import last_month, last_month_end, month_before_last, this_month, today
from tests.sandbox.psp.running import wait_until
from tests.wallet.factories import at_once, fund, house, make_psp, raw, sign_month, without_triggers
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.month_end import PeriodState
from wallet.closing import periods
from wallet.closing.period_checks import checks_of
from wallet.closing.trial_balance import trial_balance
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.ledger.verification import verify
from wallet.models import ClosingBalance, Deposit, Journal, Period, PeriodReopening

pytestmark = pytest.mark.django_db
WAITING = """SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def pay(brand, minor: int, day: dt.date, key: str, *, to: AccountKind = AccountKind.FEES) -> int:
    """House money from the bank to fees on a business day."""
    entry = Entry(
        key=key,
        kind=JournalKind.PSP_FEE,
        brand_id=brand.pk,
        business_on=day,
        lines=(Line(house(brand, AccountKind.HOUSE_BANK), minor), Line(house(brand, to), -minor)),
    )
    with transaction.atomic():
        return posting.post(entry).journal_id


@pytest.fixture
def months(cast) -> list[Period]:
    """Two ended months and this one, with 100 in the first, 20 in the second and 5 in this."""
    pay(cast.brand, 10_000, month_before_last() + dt.timedelta(days=9), "a")
    pay(cast.brand, 2_000, last_month() + dt.timedelta(days=9), "b")
    pay(cast.brand, 500, today(), "c")
    assert periods.open_months(cast.brand.pk) == 3
    return list(Period.objects.order_by("first_day"))


def close(period: Period, actor, note: str = "") -> Period:
    signed(period, actor, note)
    return periods.close_period(period_id=period.pk, actor=actor, note=note)


def signed(period: Period, actor, note: str = "") -> None:
    """By this person and by another one of finance."""
    finance = User.objects.filter(email__in=["finance@meridian.example", "frank@meridian.example"])
    for person in (actor, *finance.exclude(pk=actor.pk)[:1]):
        with contextlib.suppress(WrongState):
            sign_month(period, person, note=note)


def kept(period: Period) -> dict[str, tuple[int, int, int, int]]:
    period.refresh_from_db()
    rows = ClosingBalance.objects.filter(period=period, closing=period.closings).select_related("account")
    return {
        row.account.kind: (row.opening_minor, row.debits_minor, row.credits_minor, row.closing_minor) for row in rows
    }


def test_months_open_from_the_first_business_day_to_this_month(cast, months):
    assert [(one.first_day, one.state) for one in months] == [
        (month_before_last(), "open"),
        (last_month(), "open"),
        (this_month(), "open"),
    ]
    assert months[1].last_day == last_month_end()
    assert periods.open_months(cast.brand.pk) == 0
    assert periods.open_months(cast.other_brand.pk) == 0


def test_a_closing_carries_every_account_forward(cast, months):
    close(months[0], cast.finance)
    assert kept(months[0]) == {"house_bank": (0, 0, 10_000, 10_000), "fees": (0, 10_000, 0, -10_000)}
    close(months[1], cast.finance)
    assert kept(months[1]) == {"house_bank": (10_000, 0, 2_000, 12_000), "fees": (-10_000, 2_000, 0, -12_000)}
    assert verify().problems == []
    assert AuditEvent.objects.filter(action="wallet.period_closed").count() == 2


def test_months_are_closed_in_order_and_only_when_they_are_over(cast, months):
    with pytest.raises(DomainError, match="Earlier months to close first"):
        close(months[1], cast.finance)
    with pytest.raises(DomainError, match="isn't over yet"):
        close(months[2], cast.finance)
    with pytest.raises(IntegrityError, match="in order"), transaction.atomic():
        Period.objects.filter(pk=months[1].pk).update(state="closing")


def test_a_late_fact_goes_into_the_first_day_after_the_last_closed_month(cast, months):
    close(months[0], cast.finance)
    assert Journal.objects.get(pk=pay(cast.brand, 1, month_before_last(), "late")).business_on == last_month()
    close(months[1], cast.finance)
    three = Entry(
        key="late3",
        kind=JournalKind.PSP_FEE,
        brand_id=cast.brand.pk,
        business_on=month_before_last(),
        lines=(
            Line(house(cast.brand, AccountKind.HOUSE_BANK), 3),
            Line(house(cast.brand, AccountKind.FEES), -2),
            Line(house(cast.brand), -1),
        ),
    )
    assert Journal.objects.get(pk=posting.post(three).journal_id).business_on == this_month()
    assert verify().problems == []


def test_what_blocks_and_what_warns_is_said_in_words(cast, months):
    fund(cast.client, 700)  # from suspense, this month; suspense counts as it is now
    psp = make_psp(cast.brand)
    Deposit.objects.create(
        client=cast.client,
        brand=cast.brand,
        psp=psp,
        wallet=posting.wallet_of(cast.client, "EUR"),
        reference="D-1",
        request_key="k",
        amount_minor=5,
        currency="EUR",
        state=DepositState.HELD,
        hold_reasons=["late"],
        held_at=dt.datetime.now(dt.UTC),
        created_at=dt.datetime.combine(month_before_last(), dt.time(), tzinfo=dt.UTC),
    )
    found = [check.words for check in checks_of(months[0]) if not check.is_fine]
    assert found == ["Deposits held for review: 1.", "Suspense isn't empty: €7.00."]
    with pytest.raises(DomainError, match=r"Add a note .* held for review: 1"):
        close(months[0], cast.finance)
    assert close(months[0], cast.finance, "Known, solved next week").note == "Known, solved next week"


def test_a_crash_between_the_two_steps_is_continued_by_beat(cast, months):
    signed(months[0], cast.finance)
    periods._begin(months[0].pk, cast.finance, "")
    months[0].refresh_from_db()
    assert months[0].state == PeriodState.CLOSING
    assert Journal.objects.get(pk=pay(cast.brand, 1, month_before_last(), "late")).business_on == last_month()
    assert periods.continue_closings() == 1
    assert periods.continue_closings() == 0
    months[0].refresh_from_db()
    assert (months[0].state, months[0].closings) == (PeriodState.CLOSED, 1)
    assert kept(months[0])["fees"] == (0, 10_000, 0, -10_000)


def test_who_may_close(cast, months):
    for person in (cast.administrator, cast.auditor, cast.mlro, cast.agent):
        with pytest.raises(NotAllowed):
            close(months[0], person)


def test_a_closed_month_is_opened_by_a_second_person_and_closed_again(cast, months):
    close(months[0], cast.finance)
    close(months[1], cast.finance)
    with pytest.raises(WrongState, match="Only the last closed"):
        periods.request_reopening(period_id=months[0].pk, actor=cast.finance, reason="A fee is missing")
    wish = periods.request_reopening(period_id=months[1].pk, actor=cast.finance, reason="A fee is missing")
    asked = set(Notification.objects.filter(kind="wallet.period_reopening").values_list("user_id", flat=True))
    assert asked == {cast.second_finance.pk, cast.mlro.pk}
    with pytest.raises(WrongState):
        periods.request_reopening(period_id=months[1].pk, actor=cast.second_finance, reason="Me too")
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(PeriodReopening, wish.pk, actor=cast.finance)
    with pytest.raises(IntegrityError, match="period_reopening_is_decided_by_somebody_else"), transaction.atomic():
        PeriodReopening.objects.filter(pk=wish.pk).update(
            state="approved", decided_by=cast.finance, decided_at=dt.datetime.now(dt.UTC)
        )
    approvals.approve(PeriodReopening, wish.pk, actor=cast.mlro)
    assert Journal.objects.get(pk=pay(cast.brand, 50, last_month(), "missing fee")).business_on == last_month()
    close(months[1], cast.second_finance)
    assert kept(months[1])["fees"] == (-10_000, 2_050, 0, -12_050)
    assert months[1].closings == 2
    assert (
        ClosingBalance.objects.filter(period=months[1], closing=1, account__kind="fees").get().closing_minor == -12_000
    )
    assert verify().problems == []


def test_a_wish_is_refused_with_a_reason_or_withdrawn(cast, months):
    close(months[0], cast.finance)
    wish = periods.request_reopening(period_id=months[0].pk, actor=cast.finance, reason="Why not")
    with pytest.raises(DomainError, match="Enter a reason"):
        approvals.reject(PeriodReopening, wish.pk, actor=cast.second_finance, note="")
    approvals.reject(PeriodReopening, wish.pk, actor=cast.second_finance, note="No reason")
    again = periods.request_reopening(period_id=months[0].pk, actor=cast.finance, reason="Really")
    with pytest.raises(NotAllowed):
        approvals.withdraw(PeriodReopening, again.pk, actor=cast.second_finance)
    assert approvals.withdraw(PeriodReopening, again.pk, actor=cast.finance).state == ApprovalState.WITHDRAWN
    with pytest.raises(WrongState):
        approvals.approve(PeriodReopening, again.pk, actor=cast.second_finance)
    months[0].refresh_from_db()
    assert months[0].state == PeriodState.CLOSED


def test_tampering_with_a_closing_is_named(cast, months):
    close(months[0], cast.finance)
    close(months[1], cast.finance)
    with pytest.raises(Exception, match="append"), transaction.atomic():
        ClosingBalance.objects.update(debits_minor=1)
    where = "WHERE period_id = %s AND account_id = (SELECT id FROM wallet_account WHERE kind = 'fees')"
    fees = house(cast.brand, AccountKind.FEES).pk
    without_triggers(
        f"UPDATE wallet_closingbalance SET opening_minor = opening_minor + 1, closing_minor = closing_minor + 1 {where}",
        months[1].pk,
    )
    assert (
        f"closed month {months[1]} of meridian: account {fees} opens with -9999, -10000 was carried"
        in verify().problems[0]
    )
    without_triggers(f"DELETE FROM wallet_closingbalance {where}", months[1].pk)
    assert verify().problems == [f"closed month {months[1]} of meridian: account {fees} has no closing balance"]


def test_a_journal_that_was_slipped_into_a_closed_month_is_named(cast, months):
    close(months[0], cast.finance)
    slipped = pay(cast.brand, 7, last_month(), "slipped")
    without_triggers("UPDATE wallet_journal SET business_on = %s WHERE id = %s", month_before_last(), slipped)
    problems = verify().problems
    assert any(f"journal {slipped} (slipped) was posted into the closed month {months[0]}" in one for one in problems)


def test_a_trial_balance_is_the_same_before_and_after_closing(cast, months):
    so_far = trial_balance(months[0])
    assert (so_far.is_final, so_far.balances) == (False, True)
    close(months[0], cast.finance)
    final = trial_balance(Period.objects.get(pk=months[0].pk))
    assert (final.is_final, final.parts) == (True, so_far.parts)
    assert trial_balance(months[2]).parts == ()  # the month before it is still open


@pytest.mark.django_db(transaction=True)
def test_two_people_close_at_once_and_one_does(cast, months):
    done = at_once(lambda number: close(months[0], (cast.finance, cast.second_finance)[number]), 2)
    assert sorted(type(one).__name__ for one in done) == ["Period", "WrongState"]
    assert ClosingBalance.objects.filter(period=months[0]).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_posting_in_flight_is_in_the_closing(cast, months):
    """The closing waits for a writer that has not committed: what it wrote belongs to the month."""
    wrote = threading.Event()

    def work(number: int):
        if number == 0:
            with transaction.atomic():
                pay(cast.brand, 77, last_month() - dt.timedelta(days=1), "in flight")
                wrote.set()
                wait_until(lambda: raw(WAITING))
                time.sleep(0.7)  # longer than one wait for the lock
            return None
        wrote.wait(30)
        return close(months[0], cast.finance)

    _none, closed = at_once(work, 2)
    assert closed.state == PeriodState.CLOSED
    assert kept(months[0])["fees"] == (0, 10_077, 0, -10_077)
    assert verify().problems == []


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_pages_take_a_fixed_number_of_queries(cast, months, browse, django_assert_max_num_queries):
    close(months[0], cast.finance)
    browser = browse(cast.finance)
    browser.get("/profile/")
    with django_assert_max_num_queries(20):
        page = browser.get(reverse("wallet:periods")).content.decode()
    assert "Closed" in page
    for period in months:
        with django_assert_max_num_queries(34):
            assert browser.get(reverse("wallet:period", args=[period.pk])).status_code == 200
    assert browse(cast.auditor).get(reverse("wallet:period", args=[months[0].pk])).status_code == 200


def test_closing_from_the_page_is_a_job(cast, months, browse, monkeypatch):
    from crm.files import jobs

    monkeypatch.setattr(jobs, "enqueue", jobs.run_job)
    browser = browse(cast.finance)
    refused = browser.post(reverse("wallet:period_close", args=[months[0].pk]), {"close-reason": ""})
    assert refused.status_code == 422
    assert "needs two signatures" in refused.content.decode()
    signed(months[0], cast.finance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work, *_a, **_k: work())
        answer = browser.post(reverse("wallet:period_close", args=[months[0].pk]), {"close-reason": ""})
    job = Job.objects.get()
    assert answer.url == reverse("job", args=[job.pk])
    assert (job.state, job.result_url) == ("done", reverse("wallet:period", args=[months[0].pk]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work, *_a, **_k: work())
        for ending in ("csv", "pdf"):
            browser.post(reverse("wallet:trial_balance", args=[months[0].pk]), {"ending": ending})
    newest = list(Job.objects.order_by("-pk")[:2])
    content = [b"".join(jobs.result_of(one)) for one in newest]
    assert content[0].startswith(b"%PDF")
    assert b"fees,,EUR,0.00,100.00,0.00,-100.00" in content[1]


def test_a_refusal_keeps_the_form(cast, months, browse):
    fund(cast.client, 700)
    answer = browse(cast.finance).post(reverse("wallet:period_close", args=[months[0].pk]), {"close-reason": ""})
    assert answer.status_code == 422
    assert "Add a note explaining why" in answer.content.decode()
    assert Job.objects.count() == 0


def test_reopening_from_the_page(cast, months, browse):
    close(months[0], cast.finance)
    address = reverse("wallet:period", args=[months[0].pk])
    first = browse(cast.finance)
    assert first.post(reverse("wallet:reopening_ask", args=[months[0].pk]), {"ask-reason": "Fee"}).url == address
    wish = PeriodReopening.objects.get()
    approve = f"/approvals/period-reopening/{wish.pk}/approve/"
    assert "Someone else must decide" in first.get(address).content.decode()
    assert first.post(approve, {"next": address}).status_code == 422
    assert browse(cast.mlro).post(approve, {"next": address}).url == address
    months[0].refresh_from_db()
    assert months[0].state == PeriodState.OPEN
    assert raw("SELECT count(*) FROM wallet_closingbalance")[0][0] == 2

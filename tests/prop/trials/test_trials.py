"""What-ifs of programme versions: what challenges would have become, beside what they became; nothing of theirs is changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from crm.errors import DomainError, NotAllowed
from crm.files.jobs import run_job
from crm.models import AuditEvent, Job
from prop.judge import live
from prop.models import (
    Breach,
    ChallengeReset,
    EquityMinute,
    PhaseAccount,
    ProgrammePhase,
    ProgrammeSize,
    ProgrammeTrial,
    ProgrammeVersion,
)
from prop.trials.running import run_trial
from prop.trials.shown import lines_of, money_of, pass_rates
from tests.cast import Cast, signed_in
from tests.prop.judge.running import run_phase, show, trade
from tests.prop.payouts.test_payouts import confirm, pay_out
from tests.prop.payouts.world import ask, earn, run_funded
from tests.trading.factories import make_account
from tests.wallet.factories import fund
from trading.choices import DealEntry
from wallet.models import Journal

pytestmark = pytest.mark.django_db


def draft_of(
    row: PhaseAccount, *, size: dict[str, Any] | None = None, version: dict[str, Any] | None = None, **rules: Any
) -> ProgrammeVersion:
    """The next version of an account's programme as a draft, with other terms."""
    sold = row.challenge.version
    draft = ProgrammeVersion.objects.create(
        programme=sold.programme,
        number=sold.number + 1,
        account_type=sold.account_type,
        funded_account_type=sold.funded_account_type,
        made_by=sold.made_by,
        **{"currency": "EUR", **(version or {})},
    )
    ProgrammeSize.objects.create(version=draft, **{"balance": 10_000, "fee": 150, "reset_fee": 70, **(size or {})})
    kept = {"number": 1, "target": 8, "daily_loss": 5, "max_loss": 10, **rules}
    ProgrammePhase.objects.create(version=draft, **kept)
    return draft


def try_version(cast: Cast, draft: ProgrammeVersion) -> ProgrammeTrial:
    return run_trial(version_id=draft.pk, days=30, of_programme_id=None, actor=cast.administrator)


@pytest.fixture
def lost(cast: Cast) -> PhaseAccount:
    """500.00 lost in a day: the whole daily limit."""
    row = run_phase(cast)
    show(row, 0, "10000", "10000")
    live.judge_account(row.pk)
    trade(row, 2, DealEntry.IN)
    trade(row, 4, DealEntry.OUT, profit="-500")
    show(row, 10, "9500", "9500")
    live.judge_account(row.pk)
    row.refresh_from_db()
    return row


def test_the_same_rules_end_as_they_did(cast: Cast, lost: PhaseAccount) -> None:
    kept = try_version(cast, draft_of(lost))
    assert (kept.figures["tried"], kept.figures["different"], kept.lines) == (1, 0, [])
    assert kept.figures["phases"] == [
        {"is_funded": False, "number": 1, "was": {"lost:daily_loss": 1}, "now": {"lost:daily_loss": 1}}
    ]
    before, after = money_of(kept)
    assert (before.fees, after.fees, pass_rates(kept)) == (100, 150, (0, 0))


def test_a_kinder_limit_lets_the_account_run_on(cast: Cast, lost: PhaseAccount) -> None:
    draft, judged = draft_of(lost, daily_loss=6), lost.judged
    kept = try_version(cast, draft)
    (line,) = lines_of(kept)
    assert (line.was, line.now, line.is_open) == ("Breached: Daily loss", "Running", True)
    assert (line.difference, kept.figures["open"], pass_rates(kept)) == (50, 1, (0, None))
    lost.refresh_from_db()
    assert (lost.state, lost.judged, Breach.objects.count()) == ("breached", judged, 1)
    assert AuditEvent.objects.filter(action="prop.version_tried").count() == 1


def test_a_stricter_limit_says_when_it_would_have_been_broken(cast: Cast) -> None:
    row = run_phase(cast)
    for seconds, equity in ((0, "10000"), (10, "9750"), (20, "10000")):
        show(row, seconds, "10000", equity)
        live.judge_account(row.pk)
    (line,) = lines_of(try_version(cast, draft_of(row, daily_loss="2.50")))
    assert (line.was, line.now, line.is_open) == ("Running", "Breached: Daily loss", False)
    assert "€9,750.00; the limit is €9,750.00" in line.reason


@pytest.fixture
def reset(cast: Cast, lost: PhaseAccount) -> PhaseAccount:
    """The lost account was reset for 50, and its second attempt runs."""
    fund(cast.client, 50, key="reset")
    paid = Journal.objects.exclude(pk=lost.challenge.payment_id).latest("pk")
    ChallengeReset.objects.create(lost=lost, price=50, payment=paid, bought_at=lost.started_at)
    second = PhaseAccount.objects.create(
        challenge=lost.challenge,
        phase=lost.phase,
        attempt=2,
        account=make_account(cast.client, lost.account.server),
        state="running",
        started_at=lost.started_at,
    )
    show(second, 0, "10000", "10000")
    live.judge_account(second.pk)
    return second


def test_a_reset_costs_the_tried_price_where_it_is_still_needed(cast: Cast, reset: PhaseAccount) -> None:
    kept = try_version(cast, draft_of(reset))
    before, after = money_of(kept)
    assert (before.resets, after.resets, kept.figures["different"]) == (50, 70, 0)
    assert kept.figures["phases"][0]["now"] == {"lost:daily_loss": 1, "running": 1}


def test_a_reset_that_was_not_needed_is_not_counted(cast: Cast, reset: PhaseAccount) -> None:
    kept = try_version(cast, draft_of(reset, daily_loss=6))
    assert (money_of(kept)[1].resets, kept.figures["open"]) == (0, 1)
    assert kept.figures["phases"][0]["now"] == {"running": 1}


def test_payouts_and_refund_follow_the_tried_terms(cast: Cast) -> None:
    row = run_funded(cast)
    earn(row)
    confirm(pay_out(cast, ask(row)))
    funded = {"is_funded": True, "target": None}
    kept = try_version(cast, draft_of(row, split=90, version={"refunds_fee": False}, **funded))
    before, after = money_of(kept)
    assert (before.paid, before.refunds, before.result) == (Decimal("800.01"), 100, Decimal("-800.01"))
    assert (after.paid, after.refunds, after.result) == (Decimal("900.01"), 0, Decimal("-750.01"))
    assert (before.payout_ratio, after.payout_ratio) == (800, 600)


def test_what_a_version_pays_only_later_is_not_counted(cast: Cast) -> None:
    row = run_funded(cast)
    earn(row)
    confirm(pay_out(cast, ask(row)))
    terms = {"is_funded": True, "target": None, "split": 90}
    _before, after = money_of(try_version(cast, draft_of(row, version={"payout_minimum": 2000}, **terms)))
    assert (after.paid, after.refunds) == (0, 0)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [({"size": {"balance": 25_000}}, "size"), ({"version": {"currency": "USD"}}, "currency"), ({}, "no_samples")],
)
def test_what_cannot_be_judged_is_counted_with_its_reason(cast: Cast, lost: PhaseAccount, terms, reason) -> None:
    EquityMinute.objects.all().delete()
    kept = try_version(cast, draft_of(lost, **terms))
    assert (kept.figures["tried"], kept.figures["not_tried"]) == (0, {reason: 1})


def test_a_job_leads_to_the_page_beside_its_version(cast: Cast, lost: PhaseAccount) -> None:
    draft, staff = draft_of(lost, daily_loss=6), signed_in(cast.administrator)
    assert staff.post(f"/prop/versions/{draft.pk}/try/", {"days": "30", "of_programme_id": ""}).status_code == 302
    run_job(Job.objects.get(kind="prop.trial").pk)
    kept = ProgrammeTrial.objects.get()
    assert Job.objects.get(kind="prop.trial").result_url == kept.get_absolute_url()
    page = staff.get(kept.get_absolute_url()).content.decode()
    assert "What would have come after isn’t known." in page and "Nothing was written" in page
    for other in (draft.programme.get_absolute_url(), "/prop/economics/"):
        assert kept.get_absolute_url() in staff.get(other).content.decode()


def test_only_those_who_write_or_publish_programmes_try_them(cast: Cast, lost: PhaseAccount) -> None:
    draft = draft_of(lost)
    with pytest.raises(NotAllowed):
        run_trial(version_id=draft.pk, days=30, of_programme_id=None, actor=cast.ib_manager)
    with pytest.raises(DomainError, match="between 1 and 365"):
        run_trial(version_id=draft.pk, days=366, of_programme_id=None, actor=cast.administrator)
    assert not ProgrammeTrial.objects.exists()

"""A replay lists each line that differs with its cause; a second person applies exactly that, or nothing is written."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.db.models import Sum
from django.utils import timezone

from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.files.jobs import run_job
from crm.models import AuditEvent, FxRate, Job
from ib import clawback, engine, settlement
from ib.choices import ForfeitCause, Reason
from ib.explain import explain
from ib.models import Accrual, CommissionRun, Replay, ReplayLine, ReplayProposal, SettlementPeriod
from ib.replay import replays, shadow
from ib.replay.proposals import propose_replay
from ib.replay.replays import discard_replay, request_replay, resume_stalled, run_replay
from ib.settlements import forfeits
from tests.cast import Cast
from tests.ib.factories import NOON, card, load_rates, make_deal, make_trade
from tests.ib.test_agreements import agree
from tests.ib.test_settlement import arrived
from trading.models import Deal, DealEdit

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def replayed(cast: Cast, **scope: Any) -> Replay:
    return run_replay(replay_id=requested(cast, **scope).pk)


def requested(cast: Cast, actor: Any = None, **scope: Any) -> Replay:
    about = {"from_at": NOON - DAY, "to_at": NOON + DAY, "reason": "The partner asked", **scope}
    return request_replay(brand=cast.brand, actor=actor or cast.ib_manager, **about)


def waiting(cast: Cast) -> ReplayProposal:
    return propose_replay(replay_id=replayed(cast).pk, actor=cast.ib_manager, reason="The partner asked")


def edit(deal_id: int, **changed: Any) -> None:
    """Change a deal as the platform's sync does."""
    deal = Deal.every.get(pk=deal_id)
    Deal.every.filter(pk=deal_id).update(revision=deal.revision + 1, **changed)
    DealEdit.objects.create(server_id=deal.server_id, ticket=deal.ticket, before={}, after={}, at=timezone.now())


def sums() -> dict[int, Decimal]:
    return dict(Accrual.objects.order_by().values_list("partner_id").annotate(total=Sum("amount")))


def causes(replay: Replay) -> set[str]:
    return set(replay.lines.values_list("cause", flat=True))


def test_a_replay_lists_each_line_and_writes_nothing_else(cast: Cast, network: Any) -> None:
    known, missing = make_trade(network.account), make_trade(network.account, lots="2")
    engine.run_for_deals(deal_ids=[known])
    edit(known, closed_lots=Decimal("0.5"))
    before, runs = list(Accrual.objects.values()), CommissionRun.objects.count()
    replay = replayed(cast)
    assert (list(Accrual.objects.values()), CommissionRun.objects.count()) == (before, runs)
    assert replay.state == "ready" and replay.lines_count == 6
    mine = {line.deal_id: line for line in replay.lines.filter(partner=network.sub)}
    assert (mine[known].before, mine[known].after, mine[known].cause) == (6, 3, "deal_edited")
    assert (mine[missing].before, mine[missing].after, mine[missing].cause) == (0, 12, "deal_late")
    assert mine[missing].reason_before == "none" and not mine[known].is_settled


def test_a_replay_after_a_run_finds_nothing(cast: Cast, network: Any) -> None:
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    replay = replayed(cast)
    assert (replay.state, replay.lines_count) == ("same", 0)
    with pytest.raises(WrongState, match="with differences"):
        propose_replay(replay_id=replay.pk, actor=cast.ib_manager, reason="x")


def test_what_a_second_person_approves_is_what_was_seen(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    item = waiting(cast)
    assert not Accrual.objects.exists()
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert sums() == {network.sub.pk: 6, network.master.pk: 3, network.top.pk: 1}
    replay = Replay.objects.get()
    assert replay.state == "applied" and replay.run and replay.ended_by == cast.finance
    assert set(Accrual.objects.values_list("source", flat=True)) == {f"replay:{replay.pk}"}
    texts = [step.text for step in explain(Accrual.objects.first(), for_staff=True)]
    assert f"Added by commission replay #{replay.pk}" in texts
    assert AuditEvent.objects.filter(action="ib.replay_approved").exists()
    with pytest.raises(WrongState):
        propose_replay(replay_id=replay.pk, actor=cast.ib_manager, reason="Once more")
    assert replayed(cast).state == "same"


def test_who_asked_for_it_can_not_apply_it(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    item = waiting(cast)
    with pytest.raises(NotAllowed):
        approvals.approve(ReplayProposal, item.pk, actor=cast.ib_manager)
    assert not Accrual.objects.exists()


@pytest.mark.parametrize("moved", ["deal", "accrued"])
def test_a_replay_that_is_out_of_date_is_not_applied(cast: Cast, network: Any, moved: str) -> None:
    deal = make_trade(network.account)
    item = waiting(cast)
    if moved == "deal":
        edit(deal, closed_lots=Decimal("0.5"))
    else:
        engine.run_for_deals(deal_ids=[deal])
    count = Accrual.objects.count()
    with pytest.raises(DomainError, match="run the replay again"):
        approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    item.refresh_from_db()
    assert item.state == "pending" and Accrual.objects.count() == count
    approvals.reject(ReplayProposal, item.pk, actor=cast.finance, note="Out of date")
    assert Replay.objects.get().state == "ready"


def test_one_proposal_of_a_replay_waits_at_a_time(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    item = waiting(cast)
    with pytest.raises(WrongState, match="already awaiting"):
        propose_replay(replay_id=item.replay_id, actor=cast.ib_manager, reason="x")
    with pytest.raises(WrongState, match="Withdraw the proposal"):
        discard_replay(replay_id=item.replay_id, actor=cast.ib_manager)
    approvals.withdraw(ReplayProposal, item.pk, actor=cast.ib_manager)
    assert discard_replay(replay_id=item.replay_id, actor=cast.ib_manager).state == "discarded"
    assert not Accrual.objects.exists()


def test_the_same_line_of_a_replay_can_not_be_added_twice(cast: Cast, network: Any) -> None:
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    edit(deal, closed_lots=Decimal("0.5"))
    approvals.approve(ReplayProposal, waiting(cast).pk, actor=cast.finance)
    row = Accrual.objects.filter(kind="delta").first()
    assert row is not None
    row.pk = None
    row.run = CommissionRun.objects.create(brand=cast.brand, kind="replay", started_at=NOON)
    with pytest.raises(IntegrityError, match="a_replay_adjusts_a_line_once"), transaction.atomic():
        row.save(force_insert=True)


def test_a_deleted_deal_is_taken_back(cast: Cast, network: Any) -> None:
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    Deal.every.filter(pk=deal).update(deleted_at=NOON)
    item = waiting(cast)
    assert causes(item.replay) == {"deal_deleted"}
    assert set(item.replay.lines.values_list("reason_after", flat=True)) == {Reason.DEAL_CHANGED}
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert set(sums().values()) == {Decimal(0)}


def test_an_opening_that_became_known_is_the_cause(cast: Cast, network: Any) -> None:
    agree(cast, network.sub, card(), min_hold_seconds=60)
    deal = make_trade(network.account)
    position = Deal.every.get(pk=deal).position_id
    opening = Deal.every.filter(position_id=position, entry=0)
    opening.update(deleted_at=NOON)
    engine.run_for_deals(deal_ids=[deal])
    assert set(Accrual.objects.values_list("reason", flat=True)) == {Reason.HOLD_UNKNOWN}
    opening.update(deleted_at=None)
    replay = replayed(cast)
    assert causes(replay) == {"opening"}
    assert set(replay.lines.values_list("reason_before", "reason_after")) == {(Reason.HOLD_UNKNOWN, "")}


def test_a_late_deal_moves_what_the_days_cap_leaves_to_others(cast: Cast, network: Any) -> None:
    """25 a day: 10, 10, 5. An earlier deal of 10 leaves the last one nothing, though only the late one is replayed."""
    agree(cast, network.sub, card({"fx_majors": "10"}, {1: "1"}), cap_day=Decimal(25))
    hours = [make_trade(network.account, at=NOON.replace(hour=hour)) for hour in (9, 11, 13)]
    engine.run_for_deals(deal_ids=hours)
    late = make_trade(network.account, at=NOON.replace(hour=8))
    replay = replayed(cast, from_at=NOON.replace(hour=7), to_at=NOON.replace(hour=8, minute=30))
    lines = {line.deal_id: (line.before, line.after, line.cause) for line in replay.lines.all()}
    assert lines == {late: (0, 10, "deal_late"), hours[1]: (10, 5, "cap"), hours[2]: (5, 0, "cap")}
    item = propose_replay(replay_id=replay.pk, actor=cast.ib_manager, reason="Late")
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert sums() == {network.sub.pk: 25}


def test_a_cap_that_is_off_is_found_where_no_deal_differs(cast: Cast, network: Any) -> None:
    agree(cast, network.sub, card({"fx_majors": "10"}, {1: "1"}), cap_day=Decimal(15))
    deals = [make_trade(network.account, at=NOON - dt.timedelta(hours=hours)) for hours in (2, 1)]
    engine.run_for_deals(deal_ids=deals)
    row = Accrual.objects.get(kind="capped")
    row.pk, row.amount, row.rate_amount = None, Decimal(-2), Decimal(-2)
    row.save(force_insert=True)
    replay = replayed(cast)
    line = replay.lines.get()
    assert (line.deal_id, line.before, line.after, line.cause) == (deals[1], 3, 5, "cap")
    item = propose_replay(replay_id=replay.pk, actor=cast.ib_manager, reason="Off by two")
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert sums() == {network.sub.pk: 15} and replayed(cast).state == "same"


def test_a_clawback_that_is_off_is_found_where_no_deal_differs(cast: Cast, network: Any) -> None:
    """Half of the deposit went back: of a sub's 6 EUR 3 stay, after a row that gave one too many back."""
    now = timezone.now()
    deposit = arrived(cast, 100_00, now - 3 * DAY, "off")
    load_rates(now.date())
    engine.run_for_deals(deal_ids=[make_trade(network.account, at=now - DAY)])
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50))
    row = Accrual.objects.get(kind="clawback", partner=network.sub)
    row.pk, row.kind, row.source, row.amount, row.rate_amount = None, "restored", "off", Decimal(1), Decimal(1)
    row.save(force_insert=True)
    line = replayed(cast, from_at=now - 2 * DAY, to_at=now, partner_id=network.sub.pk).lines.get()
    assert (line.before, line.after, line.cause) == (4, 3, "clawed_back")


def test_a_replay_never_pays_again_what_a_client_forfeited(cast: Cast, network: Any) -> None:
    deal = make_trade(network.account, at=timezone.now() - DAY)
    engine.run_for_deals(deal_ids=[deal])
    forfeits.declare(client_id=cast.client.pk, cause=ForfeitCause.FRAUD)
    edit(deal, closed_lots=Decimal(2))
    replay = replayed(cast, from_at=timezone.now() - 2 * DAY, to_at=timezone.now())
    assert set(replay.lines.values_list("before", "after", "cause")) == {(0, 0, "clawed_back")}
    item = propose_replay(replay_id=replay.pk, actor=cast.ib_manager, reason="Edited")
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert set(sums().values()) == {Decimal(0)}


def test_a_replay_leaves_with_a_partner_what_reversed_deposits_leave(cast: Cast, network: Any) -> None:
    """Half of the client's money went back: of 12 instead of 6 the partner keeps 6 instead of 3."""
    now = timezone.now()
    deposit = arrived(cast, 10_000, now - 3 * DAY, "half")
    load_rates(now.date())
    deal = make_trade(network.account, at=now - DAY)
    engine.run_for_deals(deal_ids=[deal])
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50))
    assert sums()[network.sub.pk] == 3
    edit(deal, closed_lots=Decimal(2))
    replay = replayed(cast, from_at=now - 2 * DAY, to_at=now)
    line = replay.lines.get(partner=network.sub)
    assert (line.before, line.after, line.cause) == (3, 6, "deal_edited")
    item = propose_replay(replay_id=replay.pk, actor=cast.ib_manager, reason="Edited")
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert sums()[network.sub.pk] == 6


def test_differences_of_a_settled_period_go_into_the_open_one(cast: Cast, network: Any) -> None:
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    period = SettlementPeriod.objects.get(starts_at__lte=NOON, ends_at__gt=NOON)
    settlement.settle_period(period_id=period.pk, actor=cast.finance)
    edit(deal, closed_lots=Decimal(2))
    item = waiting(cast)
    assert set(item.replay.lines.values_list("is_settled", flat=True)) == {True}
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    added = Accrual.objects.filter(kind="delta")
    assert added.count() == 3 and not added.filter(period=period).exists()
    assert not added.exclude(period__state="open").exists()


def test_a_corrected_exchange_rate_is_the_cause(cast: Cast, network: Any) -> None:
    agree(cast, network.sub, card({"fx_majors": "10"}, {1: "1"}), currency="USD")
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    FxRate.objects.create(on=NOON.date() - DAY, currency="USD", rate=Decimal(2))
    replay = replayed(cast)
    assert set(replay.lines.values_list("before", "after", "cause")) == {(8, 5, "fx")}


def test_a_replay_of_a_partner_or_client_looks_at_their_deals_only(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    assert replayed(cast, partner_id=network.top.pk).lines_count == 3
    assert replayed(cast, client_id=cast.client.pk).lines_count == 3
    assert replayed(cast, client_id=cast.other_client.pk).state == "same"


def test_an_agent_can_not_replay(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    with pytest.raises(NotAllowed):
        requested(cast, actor=cast.agent)
    replay = replayed(cast)
    for verb in (discard_replay, lambda **about: propose_replay(reason="x", **about)):
        with pytest.raises(NotAllowed):
            verb(replay_id=replay.pk, actor=cast.agent)
    assert not Accrual.objects.exists()


def test_a_replay_needs_a_reason_and_a_bounded_period(cast: Cast) -> None:
    with pytest.raises(DomainError, match="reason"):
        requested(cast, reason=" ")
    with pytest.raises(DomainError, match="400 days"):
        requested(cast, to_at=NOON + 500 * DAY)


def test_too_many_differences_fail_the_replay_and_say_so(
    cast: Cast, network: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_rates()
    make_deal(network.account, at=NOON - DAY / 2, entry=0, lots="2", position=5)
    for _n in range(2):
        make_deal(network.account, at=NOON, entry=1, lots="1", closed="1", position=5, action=1)
    monkeypatch.setattr(replays, "DEALS_MAX", 1)
    replay = requested(cast)
    with pytest.raises(DomainError, match="2 deals would change"):
        run_replay(replay_id=replay.pk)
    replay.refresh_from_db()
    assert replay.state == "failed" and "2 deals" in replay.problem
    monkeypatch.undo()
    monkeypatch.setattr(shadow, "LINES_MAX", 2)
    with pytest.raises(DomainError, match="More than 2 lines"):
        replayed(cast)


def test_the_job_reports_its_days_and_points_to_the_replay(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    replay = requested(cast)
    assert replay.job is not None
    run_job(replay.job.pk)
    job = Job.objects.get(pk=replay.job.pk)
    assert (job.state, job.result_url, job.done, job.total) == ("done", f"/ib/replays/{replay.pk}/", 3, 3)
    steps: list[tuple[int, int]] = []
    again = requested(cast)
    run_replay(replay_id=again.pk, progress=lambda done, whole, _message: steps.append((done, whole)))
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_cancelling_the_job_discards_the_replay(cast: Cast, network: Any) -> None:
    replay = requested(cast)
    Job.objects.filter(pk=replay.job_id).update(cancel_requested=True, state="running")
    from crm.files.jobs import JobCancelled, RunningJob
    from ib.job_kinds import replay as job_kind

    with pytest.raises(JobCancelled):
        job_kind(RunningJob(Job.objects.get(pk=replay.job_id)))
    replay.refresh_from_db()
    assert replay.state == "discarded"


def test_a_stalled_replay_gets_a_further_job_and_fails_in_the_end(cast: Cast, network: Any) -> None:
    replay = requested(cast)
    assert resume_stalled() == 0
    for start in range(2, replays.STARTS_MAX + 1):
        Replay.objects.filter(pk=replay.pk).update(moved_at=timezone.now() - replays.STALLED_AFTER)
        assert resume_stalled() == 1
        replay.refresh_from_db()
        assert replay.starts == start
    Replay.objects.filter(pk=replay.pk).update(moved_at=timezone.now() - replays.STALLED_AFTER)
    assert resume_stalled() == 0
    replay.refresh_from_db()
    assert replay.state == "failed" and Job.objects.filter(kind="ib.replay").count() == replays.STARTS_MAX


def test_lines_of_a_replay_stay_as_they_were_written(cast: Cast, network: Any) -> None:
    make_trade(network.account)
    replayed(cast)
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        ReplayLine.objects.update(after=1)

"""Suspected abuse on an account of a challenge: found, in front of those who review it, and binding where its phase forbids it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from crm import approvals
from crm.errors import DomainError, WrongState
from crm.models import Brand, Notification, WorkItem, WorkProposal
from prop.challenges.ending import end_for_style
from prop.challenges.reviews import decide_phase
from prop.choices import ChallengeState, PayoutState, StageState
from prop.models import ChallengePayout, PhaseAccount
from prop.payouts.checks import problem_of, review_checks
from prop.payouts.reviews import decide_payout
from risk.abuse import scoring
from risk.abuse.choices import Abuse, Handling
from risk.abuse.loading import load
from risk.abuse.models import AbuseEpisode
from risk.abuse.queue import decide_episode
from tests.cast import Cast, signed_in
from tests.prop.judge.running import run_phase
from tests.prop.payouts.world import ask, earn, run_funded
from tests.prop.test_reviews import reach
from tests.risk.abuse.test_episodes import hedged_accounts, write_deals
from tests.trading.factories import make_server
from trading.models import BalanceOperation, TradingAccount

pytestmark = pytest.mark.django_db
FORBIDDEN = "Forbidden by the rules of this phase: Latency arbitrage: Open."


def suspect(cast: Cast, row: PhaseAccount, kind: str = "latency") -> AbuseEpisode:
    now = timezone.now()
    episode = AbuseEpisode.objects.create(
        kind=kind,
        brand=cast.brand,
        client=cast.client,
        accounts=[row.account_id],
        work=WorkItem.objects.create(kind="risk.abuse", brand=cast.brand, opened_at=now, due_at=now),
        score=1,
        stake=10,
        facts={"trades": 24, "judged": 30, "share": 0.8, "usual": 0.1, "gained": 2, "lots": 5, "times": 9},
        first_at=now,
        last_at=now,
        raised_at=now,
    )
    episode.parties.create(account=row.account, client=cast.client)
    return episode


def test_reviewers_read_open_abuse_and_decide_themselves(cast: Cast) -> None:
    """The phase forbids another style: what was found is theirs to judge."""
    row = run_funded(cast, forbidden_styles=["copy"])
    earn(row)
    payout = ask(row)
    episode = suspect(cast, row)
    checks = review_checks(payout)
    assert [check.text for check in checks if not check.is_passed] == ["Latency arbitrage: Open."]
    assert not problem_of(checks)
    decide_episode(episode_id=episode.pk, actor=cast.finance, outcome="not_abuse", reason="A hedge")
    assert all(check.is_passed for check in review_checks(payout))


def test_a_forbidden_style_holds_a_payout_until_it_is_decided(cast: Cast) -> None:
    """Also where it is found between the first decision and the second one, and after it was confirmed."""
    row = run_funded(cast, forbidden_styles=["latency", "hedge"])
    earn(row)
    payout = ask(row)
    decide_payout(payout_id=payout.pk, outcome="sending", actor=cast.finance)
    episode, proposal = suspect(cast, row), WorkProposal.objects.get(item=payout.work, state="pending")
    with pytest.raises(WrongState, match=FORBIDDEN):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.second_finance)
    staff = signed_in(cast.finance)
    assert FORBIDDEN in staff.get(payout.get_absolute_url()).content.decode()
    assert FORBIDDEN in staff.get(row.challenge.get_absolute_url()).content.decode()
    trader = signed_in(cast.client.user).get(f"/portal/challenges/{row.challenge_id}/").content.decode()
    assert "No latency arbitrage" in trader and "Forbidden by" not in trader
    decide_episode(
        episode_id=episode.pk, actor=cast.finance, outcome="confirmed", reason="Stale fills", handling=Handling.WARN
    )
    with pytest.raises(WrongState, match="Latency arbitrage: Abuse confirmed"):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.second_finance)
    assert not BalanceOperation.objects.exists()
    approvals.withdraw(WorkProposal, proposal.pk, actor=cast.finance)
    decide_payout(payout_id=payout.pk, outcome="rejected", reason="Forbidden style", actor=cast.finance)
    row.refresh_from_db()
    assert (ChallengePayout.objects.get().state, row.state) == (PayoutState.REJECTED, StageState.RUNNING)


def test_a_person_ends_the_challenge_once_a_forbidden_style_is_confirmed(cast: Cast) -> None:
    row = run_funded(cast, forbidden_styles=["latency"])
    earn(row)
    episode, staff = suspect(cast, row), signed_in(cast.finance)
    address, mine = row.challenge.get_absolute_url(), f"/portal/challenges/{row.challenge_id}/"
    assert "End challenge" not in staff.get(address).content.decode()
    with pytest.raises(WrongState, match="No forbidden style is confirmed"):
        end_for_style(phase_account_id=row.pk, reason="Stale fills", actor=cast.finance)
    decide_episode(
        episode_id=episode.pk, actor=cast.finance, outcome="confirmed", reason="Stale fills", handling=Handling.WARN
    )
    for actor, reason in ((cast.desk_head, "Stale fills"), (cast.finance, " ")):
        with pytest.raises(DomainError):
            end_for_style(phase_account_id=row.pk, reason=reason, actor=actor)
    payout = ask(row)
    with pytest.raises(WrongState, match="still being decided"):
        end_for_style(phase_account_id=row.pk, reason="Stale fills", actor=cast.finance)
    decide_payout(payout_id=payout.pk, outcome="rejected", reason="Forbidden style", actor=cast.finance)
    assert "End challenge" in staff.get(address).content.decode()
    assert staff.post(address, {"end": "1", "reason": ""}).status_code == 422
    assert staff.post(address, {"end": "1", "reason": "Stale fills"}).status_code == 302
    row.refresh_from_db()
    row.challenge.refresh_from_db()
    row.account.refresh_from_db()
    assert (row.state, row.challenge.state) == (StageState.ENDED, ChallengeState.ENDED)
    assert row.account.trading_ended_at is not None and not row.account.trading_wanted
    assert Notification.objects.filter(kind="prop.challenge_ended", user=cast.client.user).count() == 1
    assert "This challenge was ended" in signed_in(cast.client.user).get(mine).content.decode()
    with pytest.raises(WrongState, match="already been decided"):
        end_for_style(phase_account_id=row.pk, reason="Again", actor=cast.finance)


def test_a_reached_target_waits_for_a_forbidden_style(cast: Cast) -> None:
    """Nothing ends without a person: once it is within the terms, the phase is approved."""
    row = reach(cast)
    assert "latency" in row.phase.forbidden_styles
    episode = suspect(cast, row)
    with pytest.raises(WrongState, match=FORBIDDEN):
        decide_phase(phase_account_id=row.pk, outcome="passed", actor=cast.finance)
    row.refresh_from_db()
    assert row.state == StageState.REVIEW
    page = signed_in(cast.finance).get(row.challenge.get_absolute_url()).content.decode()
    assert FORBIDDEN in page and "Not passed" in page
    shown = signed_in(cast.finance).get(episode.get_absolute_url()).content.decode()
    assert "Forbidden style" in shown and str(row.challenge.version.programme) in shown
    decide_episode(episode_id=episode.pk, actor=cast.finance, outcome="allowed", reason="Within the terms")
    decide_phase(phase_account_id=row.pk, outcome="passed", actor=cast.finance)
    row.refresh_from_db()
    assert row.state == StageState.PASSED


def test_detectors_judge_accounts_of_challenges(cast: Cast) -> None:
    """A challenge that was hedged with a real account of somebody else; its simulated balance is no deposit."""
    first, second = hedged_accounts(cast)
    TradingAccount.objects.filter(pk=first.pk).update(is_demo=True)
    assert scoring.score_next()[1] == []
    row = run_phase(cast, server=make_server(name="Challenges"))
    PhaseAccount.objects.filter(pk=row.pk).update(account=first)
    at = timezone.now() - dt.timedelta(days=7)
    write_deals([(account, 5000 + account.pk, 0, 2, 0, 0, 0, 10_000, at) for account in (first, second)])
    (episode,) = scoring.score_accounts(Brand.objects.get(pk=cast.brand.pk), [first.pk, second.pk])
    assert (episode.kind, episode.accounts) == (Abuse.HEDGE, sorted([first.pk, second.pk]))
    cash = load(cast.brand, [first.pk, second.pk]).book.cash.values()
    assert {movement.account for rows in cash for movement in rows} == {str(second.pk)}

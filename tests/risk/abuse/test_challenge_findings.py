"""Suspected abuse on an account of a challenge: found, in front of those who review it, and binding where its phase forbids it."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone
from django.utils.html import strip_tags

from crm import approvals
from crm.errors import DomainError, WrongState
from crm.models import AccessEvent, Brand, Notification, WorkItem, WorkProposal
from prop.challenges.ending import end_for_style
from prop.challenges.reviews import decide_phase
from prop.choices import ChallengeState, PayoutState, StageState
from prop.models import Appeal, ChallengePayout, ChallengeReset, PhaseAccount, StyleEnding
from prop.payouts.checks import problem_of, review_checks
from prop.payouts.reviews import decide_payout
from prop.programmes.styles import findings_on
from risk.abuse import scoring
from risk.abuse.choices import Abuse, Handling
from risk.abuse.dealing import flagged_clients
from risk.abuse.loading import load
from risk.abuse.models import AbuseEpisode
from risk.abuse.queue import decide_episode
from risk.abuse.tables import said
from tests.cast import Cast, signed_in
from tests.prop.judge.running import NOON, run_phase, trade
from tests.prop.payouts.world import ask, earn, run_funded
from tests.prop.test_reviews import reach
from tests.risk.abuse.test_episodes import hedged_accounts, write_deals
from tests.trading.factories import make_account, make_server
from trading.choices import DealEntry
from trading.models import AccountType, BalanceOperation, TradingAccount

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


def test_an_appeal_against_an_ending_for_a_style_opens_the_phase_again(cast: Cast) -> None:
    """From the confirmed finding to the answer: evidence for both sides, somebody else decides, and it's given back once."""
    row = run_funded(cast, forbidden_styles=["latency"])
    AccountType.objects.filter(pk=row.phase.version.funded_account_type_id).update(kind="demo", is_demo=True)
    opened = trade(row, 3, DealEntry.IN)
    trade(row, 9, DealEntry.OUT, profit="30")
    episode = suspect(cast, row)
    AbuseEpisode.objects.filter(pk=episode.pk).update(first_at=NOON, last_at=NOON + dt.timedelta(minutes=1))
    episode.trades.create(place=0, deal_id=opened.pk, opened_at=opened.executed_at, revision=0)
    decide_episode(
        episode_id=episode.pk, actor=cast.finance, outcome="confirmed", reason="Stale fills", handling=Handling.WARN
    )
    end_for_style(phase_account_id=row.pk, reason="Stale fills on EURUSD", actor=cast.finance)
    trader, mine = signed_in(cast.client.user), f"/portal/challenges/{row.challenge_id}/"
    assert "Appeal decision" in trader.get(mine).content.decode()
    page = strip_tags(trader.get(f"{mine}appeal/").content.decode())
    assert "No latency arbitrage" in page and "Stale fills" not in page
    assert signed_in(cast.other_client.user).get(f"{mine}evidence.zip").status_code == 404
    files = opened_archive(trader.get(f"{mine}evidence.zip").content)
    ending = json.loads(files["ending.json"])
    assert ending["findings"] == [
        {
            "style": "latency",
            "finding": "Latency arbitrage",
            "text": said(episode),
            "since": NOON.isoformat(),
            "until": (NOON + dt.timedelta(minutes=1)).isoformat(),
            "tickets": [opened.ticket],
        }
    ]
    assert b"latency" in files["terms.yaml"] and len(files["deals.csv"].splitlines()) == 3
    assert trader.post(f"{mine}appeal/", {"reason": "My broker’s feed was late.", "payout_id": ""}).status_code == 302
    appeal, first, other = Appeal.objects.get(), signed_in(cast.finance), signed_in(cast.second_finance)
    at = appeal.get_absolute_url()
    shown = strip_tags(first.get(at).content.decode())
    assert "You ended this challenge" in shown and "Stale fills on EURUSD" in shown and said(episode) in shown
    assert "Ended for a forbidden style" in first.get("/prop/appeals/").content.decode()
    archive = first.get(f"/prop/endings/{row.style_ending.pk}/evidence.zip").content
    assert opened_archive(archive) == files
    assert AccessEvent.objects.get(target=f"prop.style_ending:{row.style_ending.pk}").kind == "export"
    answer = {"outcome": "upheld", "answer": "The feed was late."}
    assert first.post(at, answer).status_code != 302 and other.post(at, answer).status_code == 302
    row.challenge.refresh_from_db()
    again = row.challenge.accounts.exclude(pk=row.pk).get()
    assert (again.phase_id, again.state) == (row.phase_id, StageState.OPENING)
    assert (row.challenge.state, row.challenge.ended_at) == (ChallengeState.ACTIVE, None)
    assert ChallengeReset.objects.get().appeal == appeal and not findings_on(again)
    page = trader.get(mine).content.decode()
    assert "The feed was late." in page and "This challenge was ended" not in page and "Appeal decision" not in page
    with transaction.atomic(), pytest.raises(ProgrammingError):
        StyleEnding.objects.update(findings=[])


def opened_archive(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_is_at_stake_on_a_challenge_is_simulated_money(cast: Cast) -> None:
    """Stated in the row and on the page, and in no sum; where a real account has a part in it, it's stated as a part."""
    row = run_funded(cast, forbidden_styles=["latency"])
    TradingAccount.objects.filter(pk=row.account_id).update(is_demo=True)
    episode, staff = suspect(cast, row), signed_in(cast.finance)
    assert "simulated" in staff.get("/risk/abuse/").content.decode()
    assert "Simulated money" in staff.get(episode.get_absolute_url()).content.decode()
    (flagged,) = flagged_clients(cast.finance, cast.brand)
    assert (flagged.client, flagged.stake) == (cast.client, 0)
    episode.parties.create(account=make_account(cast.client, row.account.server), client=cast.client)
    assert "partly simulated" in staff.get("/risk/abuse/").content.decode()
    (flagged,) = flagged_clients(cast.finance, cast.brand)
    assert flagged.stake == 10


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

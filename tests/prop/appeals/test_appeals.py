"""An appeal is filed once and in time, decided by somebody else, and upheld it gives back exactly what was taken, once."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.html import strip_tags

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent, Notification
from prop.appeals.bundle import bundle_of
from prop.appeals.decisions import decide_appeal
from prop.appeals.filing import file_appeal
from prop.challenges.resets import reset_phase
from prop.choices import AppealState, ChallengeState, PayoutState, StageState
from prop.judge import live
from prop.models import Appeal, Breach, ChallengePayout, ChallengeReset, PhaseAccount
from prop.payouts.requests import offer_of
from prop.payouts.reviews import decide_payout
from tests.cast import Cast, signed_in
from tests.prop.judge.running import NOON, run_phase, show, trade
from tests.prop.payouts.world import ask, earn, run_funded
from tests.prop.test_buy_challenge import balances
from tests.prop.test_resets import lose
from tests.racing import race
from trading.choices import DealEntry
from trading.models import Deal

pytestmark = pytest.mark.django_db
WHY = "The quote at 14:03 was an error."


def breached(cast: Cast, *, days_ago: int = 0) -> PhaseAccount:
    """A lost first phase with its breach between two samples; its reset would cost 89 EUR."""
    row = lose(cast)
    now = timezone.now() - dt.timedelta(days=days_ago)
    PhaseAccount.objects.filter(pk=row.pk).update(started_at=now - dt.timedelta(days=9), ended_at=now)
    evidence = {"before": {"at": 1_772_445_600_000, "balance": 1_000_000, "equity": 960_000, "aside": 0}, "after": None}
    figures = {"balance": 10_000, "equity": 9_400, "threshold": 9_500, "evidence": evidence}
    Breach.objects.create(phase_account=row, judged_account=row, rule="daily_loss", occurred_at=now, **figures)
    row.refresh_from_db()
    return row


def filed(cast: Cast, row: PhaseAccount, payout: ChallengePayout | None = None) -> Appeal:
    return file_appeal(
        phase_account_id=row.pk, payout_id=payout.pk if payout else None, reason=WHY, actor=cast.client.user
    )


def decide(appeal: Appeal, person, outcome: str = "upheld") -> Appeal:
    return decide_appeal(appeal_id=appeal.pk, outcome=outcome, answer="The quote was wrong.", actor=person)


def test_an_upheld_appeal_opens_the_phase_again_at_no_cost(cast: Cast) -> None:
    lost = breached(cast)
    before = balances(cast)
    appeal = filed(cast, lost)
    assert filed(cast, lost) == appeal
    decide(appeal, cast.finance)
    challenge = appeal.phase_account.challenge
    challenge.refresh_from_db()
    again = challenge.accounts.exclude(pk=lost.pk).get()
    assert (again.phase_id, again.attempt, again.state) == (lost.phase_id, 2, StageState.OPENING)
    assert (challenge.state, challenge.ended_at) == (ChallengeState.ACTIVE, None)
    assert balances(cast) == before and ChallengeReset.objects.get().appeal_id == appeal.pk
    with pytest.raises(WrongState):
        decide(appeal, cast.administrator)
    assert reset_phase(phase_account_id=lost.pk, actor=cast.client.user) == again
    assert balances(cast) == before
    actions = AuditEvent.objects.filter(client_id=cast.client.pk, action__startswith="prop.appeal")
    assert sorted(actions.values_list("action", flat=True)) == ["prop.appeal_decided", "prop.appeal_filed"]
    assert Notification.objects.filter(kind="prop.appeal_decided", user=cast.client.user).count() == 1


def test_nothing_is_reset_while_an_appeal_is_open_nor_appealed_after_a_reset(cast: Cast) -> None:
    lost = breached(cast)
    appeal = filed(cast, lost)
    with pytest.raises(WrongState, match="being reviewed"):
        reset_phase(phase_account_id=lost.pk, actor=cast.client.user)
    decide(appeal, cast.finance, "dismissed")
    lost.challenge.refresh_from_db()
    assert lost.challenge.state == ChallengeState.BREACHED and not ChallengeReset.objects.exists()
    reset_phase(phase_account_id=lost.pk, actor=cast.client.user)
    with transaction.atomic(), pytest.raises(IntegrityError):
        ChallengeReset.objects.create(lost=lost, price=0, appeal=appeal, bought_at=timezone.now())


def test_it_is_appealed_in_time_with_a_reason_by_the_client(cast: Cast) -> None:
    lost = breached(cast, days_ago=15)
    with pytest.raises(WrongState, match="time to appeal"):
        filed(cast, lost)
    PhaseAccount.objects.filter(pk=lost.pk).update(ended_at=timezone.now() - dt.timedelta(days=13))
    with pytest.raises(DomainError, match="reason"):
        file_appeal(phase_account_id=lost.pk, reason=" ", actor=cast.client.user)
    for other in (cast.other_client.user, cast.administrator):
        with pytest.raises(NotAllowed):
            file_appeal(phase_account_id=lost.pk, reason=WHY, actor=other)
    assert not Appeal.objects.exists()
    appeal = filed(cast, lost)
    assert WHY.encode() not in bytes(appeal.reason_sealed)
    with pytest.raises(NotAllowed):
        decide(appeal, cast.desk_head)
    with pytest.raises(DomainError, match="reason"):
        decide_appeal(appeal_id=appeal.pk, outcome="dismissed", answer=" ", actor=cast.finance)


def test_a_refused_payout_is_reviewed_again_and_not_by_who_refused_it(cast: Cast) -> None:
    row = run_funded(cast)
    earn(row)
    payout = ask(row)
    decide_payout(payout_id=payout.pk, outcome="rejected", reason="Copied trades", actor=cast.finance)
    appeal = filed(cast, row, payout)
    offer = offer_of(row.challenge)
    assert offer is not None and "being reviewed" in offer.problem
    with pytest.raises(NotAllowed, match="Someone else"):
        decide(appeal, cast.finance)
    with transaction.atomic(), pytest.raises(IntegrityError, match="appeal_is_decided_by_somebody_else"):
        Appeal.objects.filter(pk=appeal.pk).update(
            state="dismissed", answer_sealed=b"x", decided_by=cast.finance, decided_at=timezone.now()
        )
    decide(appeal, cast.second_finance)
    payout.refresh_from_db()
    assert (payout.state, payout.decided_by, payout.work.state) == (PayoutState.REQUESTED, None, "open")
    decide_payout(payout_id=payout.pk, outcome="rejected", reason="Copied trades", actor=cast.finance)
    assert filed(cast, row, payout) == appeal


def test_both_sides_read_reason_evidence_and_answer(cast: Cast) -> None:
    lost = breached(cast)
    trader, address = signed_in(cast.client.user), f"/portal/challenges/{lost.challenge_id}/"
    assert "Appeal decision" in trader.get(address).content.decode()
    assert signed_in(cast.other_client.user).get(f"{address}appeal/").status_code == 404
    assert "9,500.00" in strip_tags(trader.get(f"{address}appeal/").content.decode())
    wrong = trader.post(f"{address}appeal/", {"reason": "", "payout_id": ""})
    assert wrong.status_code == 422 and not Appeal.objects.exists()
    assert trader.post(f"{address}appeal/", {"reason": WHY, "payout_id": ""}).status_code == 302
    page = trader.get(address).content.decode()
    assert "Your appeal is being reviewed" in page and "Reset for" not in page
    appeal = Appeal.objects.get()
    staff, at = signed_in(cast.finance), f"/prop/appeals/{appeal.pk}/"
    shown = strip_tags(staff.get(at).content.decode())
    assert WHY in shown and "Sample before" in shown and "9,600.00" in shown
    assert AccessEvent.objects.filter(target=f"prop.appeal:{appeal.pk}", user=cast.finance).count() == 1
    assert "Daily loss" in staff.get("/prop/appeals/").content.decode()
    assert "Record decision" not in signed_in(cast.desk_head).get(at).content.decode()
    assert staff.post(at, {"outcome": "dismissed", "answer": "The quote was right."}).status_code == 302
    assert "The quote was right." in trader.get(address).content.decode()


def test_the_evidence_of_a_breach_is_one_archive(cast: Cast) -> None:
    """Rules, verdict, samples and deals of the server day; the same bytes each time, for its trader and staff in reach."""
    row = run_phase(cast)
    show(row, 0, "10000", "10000")
    live.judge_account(row.pk)
    trade(row, 2, DealEntry.IN)
    gone = trade(row, 4, DealEntry.OUT, profit="-1000")
    show(row, 10, "9000", "9000")
    live.judge_account(row.pk)
    Deal.every.filter(pk=gone.pk).update(deleted_at=NOON + dt.timedelta(hours=1), revision=1)
    breach = Breach.objects.get()
    trader, staff = signed_in(cast.client.user), signed_in(cast.finance)
    address, mine = f"/prop/breaches/{breach.pk}/evidence.zip", f"/portal/challenges/{row.challenge_id}/evidence.zip"
    content = staff.get(address).content
    assert content == trader.get(mine).content == bundle_of(breach)
    assert AccessEvent.objects.get(target=f"prop.breach:{breach.pk}").kind == "export"
    assert signed_in(cast.other_client.user).get(mine).status_code == 404
    assert signed_in(cast.agent).get(address).status_code in (403, 404)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    verdict = json.loads(files["breach.json"])
    assert (verdict["rule"], verdict["equity"], verdict["evidence"]["source"]) == ("maximum_loss", "9000.00", "deal")
    assert "Equity may never fall 10 % below the starting balance." in verdict["rules"]
    assert b"max_loss: 10" in files["terms.yaml"]
    lines = {name: files[name].decode().splitlines() for name in ("samples.csv", "deals.csv", "SHA256SUMS")}
    assert lines["samples.csv"][1:] == [
        "2026-03-02T12:00:00+00:00,10000.00,10000.00,",
        "2026-03-02T12:00:10+00:00,9000.00,9000.00,",
    ]
    assert len(lines["deals.csv"]) == 3 and lines["deals.csv"][2].endswith(",1,2026-03-02T13:00:00+00:00")
    for line in lines["SHA256SUMS"]:
        total, name = line.split("  ")
        assert hashlib.sha256(files[name]).hexdigest() == total


@pytest.mark.django_db(transaction=True)
def test_two_decisions_at_the_same_time_give_back_once(cast: Cast) -> None:
    lost = breached(cast)
    appeal = filed(cast, lost)
    race(lambda: decide(appeal, cast.finance), lambda: decide(appeal, cast.administrator))
    appeal.refresh_from_db()
    assert appeal.state == AppealState.UPHELD and lost.challenge.accounts.count() == 2

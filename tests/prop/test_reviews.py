"""A reached target is reviewed by a person: the next account is opened once, or the challenge ends with a reason."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from crm import approvals
from crm.choices import WorkState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from prop.challenges.reviews import ask_for_review, decide_phase
from prop.choices import ChallengeState, StageState
from prop.models import PhaseAccount, PublishProposal
from prop.programmes.drafts import draft_version
from tests.cast import Cast, signed_in
from tests.prop.factories import make_version, proposed, text_of
from tests.prop.test_buy_challenge import buy, size_of
from tests.wallet.factories import fund
from trading.accounts.changes import end_trading, follow_restrictions
from trading.choices import AccountState

pytestmark = pytest.mark.django_db


@pytest.fixture
def reached(cast: Cast) -> PhaseAccount:
    return reach(cast)


def reach(cast: Cast) -> PhaseAccount:
    """The first of two phases, its target reached and waiting for a person."""
    fund(cast.client, 20_000)
    row = buy(cast, size_of(make_version(cast))).accounts.get()
    row.state, row.started_at = StageState.RUNNING, timezone.now() - dt.timedelta(days=9)
    row.save()
    ask_for_review(row, now=timezone.now(), evidence={"balance": 1_080_000})
    row.save()
    return row


def test_an_approved_phase_is_followed_by_the_next_account_once(cast: Cast, reached: PhaseAccount) -> None:
    decide_phase(phase_account_id=reached.pk, outcome="passed", actor=cast.finance)
    challenge = reached.challenge
    challenge.refresh_from_db()
    first, second = challenge.accounts.order_by("pk")
    assert (first.state, second.state, second.phase.number) == (StageState.PASSED, StageState.OPENING, 2)
    assert (challenge.state, first.work.state) == (ChallengeState.ACTIVE, WorkState.FINAL)
    assert second.account.state == AccountState.REQUESTED
    with pytest.raises(WrongState):
        decide_phase(phase_account_id=reached.pk, outcome="passed", actor=cast.finance)
    assert challenge.accounts.count() == 2


def test_a_version_published_meanwhile_changes_no_bought_challenge(cast: Cast, reached: PhaseAccount) -> None:
    """Its next phase, its rules and its prices are those that were bought; what was withdrawn can't be bought any more."""
    old = reached.challenge.version
    terms = text_of().replace(b"max_loss: 10", b"max_loss: 6").replace(b"reset_fee: 89", b"reset_fee: 49")
    newer = draft_version(programme_id=old.programme_id, content=terms, actor=cast.administrator)
    approvals.approve(PublishProposal, proposed(cast, newer).pk, actor=cast.finance)
    decide_phase(phase_account_id=reached.pk, outcome="passed", actor=cast.finance)
    second = reached.challenge.accounts.get(phase__number=2)
    assert (second.phase.version, second.phase.max_loss, second.challenge.size.reset_fee) == (old, 10, 89)
    page = signed_in(cast.client.user).get(f"/portal/challenges/{reached.challenge_id}/").content.decode()
    assert "Equity may never fall 10 % below the starting balance." in page
    with pytest.raises(DomainError, match="no longer on sale"):
        buy(cast, size_of(old), key="again")


def test_what_is_not_approved_ends_the_challenge_and_needs_a_reason(cast: Cast, reached: PhaseAccount) -> None:
    with pytest.raises(DomainError, match="reason"):
        decide_phase(phase_account_id=reached.pk, outcome="rejected", actor=cast.finance)
    decide_phase(phase_account_id=reached.pk, outcome="rejected", reason="Copied trades", actor=cast.finance)
    challenge = reached.challenge
    challenge.refresh_from_db()
    assert (challenge.state, challenge.accounts.count()) == (ChallengeState.REJECTED, 1)
    assert AuditEvent.objects.filter(action="prop.phase_decided", client_id=cast.client.pk).count() == 1


def test_only_those_with_the_right_decide(cast: Cast, reached: PhaseAccount) -> None:
    with pytest.raises(NotAllowed):
        decide_phase(phase_account_id=reached.pk, outcome="passed", actor=cast.desk_head)
    page = signed_in(cast.desk_head).get(f"/prop/challenges/{reached.challenge_id}/").content.decode()
    assert "Record decision" not in page


def test_the_page_says_what_is_missing_and_keeps_what_was_typed(cast: Cast, reached: PhaseAccount) -> None:
    browser, address = signed_in(cast.finance), f"/prop/challenges/{reached.challenge_id}/"
    assert "Record decision" in browser.get(address).content.decode()
    answer = browser.post(address, {"outcome": "rejected", "reason": ""})
    assert answer.status_code == 422 and "Enter a reason." in answer.content.decode()
    assert browser.post(address, {"outcome": "passed"}).status_code == 302
    reached.refresh_from_db()
    assert reached.state == StageState.PASSED


def test_trading_that_ended_does_not_come_back_with_a_lifted_restriction(cast: Cast, reached: PhaseAccount) -> None:
    account = reached.account
    account.state, account.login, account.opened_at = AccountState.OPEN, 7, timezone.now()
    account.save()
    account.refresh_from_db()
    assert not account.trading_wanted and account.trading_ended_at is not None
    assert account.pk not in follow_restrictions(client_id=cast.client.pk)
    end_trading(account_id=account.pk)
    account.refresh_from_db()
    assert not account.trading_wanted
    assert AuditEvent.objects.filter(action="trading.right_to_trade_changed").count() == 1


def test_a_reviewer_reads_rules_style_and_verification(cast: Cast, reached: PhaseAccount) -> None:
    page = signed_in(cast.finance).get(f"/prop/challenges/{reached.challenge_id}/").content.decode()
    assert "No rule was breached." in page and "No findings." in page and "Identity isn&#x27;t verified yet." in page
    decide_phase(phase_account_id=reached.pk, outcome="passed", actor=cast.finance)
    assert (
        "No findings." not in signed_in(cast.finance).get(f"/prop/challenges/{reached.challenge_id}/").content.decode()
    )

"""A lost phase is tried again once for exactly the reset price, by the same rules on a new account."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from crm.errors import NotAllowed, WrongState
from prop.challenges.resets import reset_phase
from prop.choices import ChallengeState, StageState
from prop.models import ChallengeReset, PhaseAccount
from tests.cast import Cast, signed_in
from tests.prop.factories import make_version
from tests.prop.test_buy_challenge import balances, buy, size_of
from tests.racing import race
from tests.wallet.factories import fund
from wallet.ledger import posting
from wallet.ledger.verification import verify

pytestmark = pytest.mark.django_db


def lose(cast: Cast, *, money: int = 20_000) -> PhaseAccount:
    """A bought challenge of 99 EUR whose first phase was breached; a reset costs 89."""
    fund(cast.client, money)
    row = buy(cast, size_of(make_version(cast))).accounts.get()
    now = timezone.now()
    row.state, row.started_at, row.ended_at = StageState.BREACHED, now - dt.timedelta(days=9), now
    row.save()
    row.challenge.state, row.challenge.ended_at = ChallengeState.BREACHED, now
    row.challenge.save()
    return row


def test_a_reset_opens_the_same_phase_again_once(cast: Cast) -> None:
    lost = lose(cast)
    again = reset_phase(phase_account_id=lost.pk, actor=cast.client.user)
    assert reset_phase(phase_account_id=lost.pk, actor=cast.client.user) == again
    assert (again.phase_id, again.attempt, again.state) == (lost.phase_id, 2, StageState.OPENING)
    assert again.account_id != lost.account_id
    lost.challenge.refresh_from_db()
    assert (lost.challenge.state, lost.challenge.ended_at) == (ChallengeState.ACTIVE, None)
    assert balances(cast) == (20_000 - 9_900 - 8_900, 9_900 + 8_900)
    assert ChallengeReset.objects.get().price == 89


def test_nothing_is_reset_without_the_money_or_by_others(cast: Cast) -> None:
    lost = lose(cast, money=9_900)
    with pytest.raises(posting.InsufficientFunds):
        reset_phase(phase_account_id=lost.pk, actor=cast.client.user)
    for other in (cast.other_client.user, cast.administrator):
        with pytest.raises(NotAllowed):
            reset_phase(phase_account_id=lost.pk, actor=other)
    lost.challenge.refresh_from_db()
    assert lost.challenge.state == ChallengeState.BREACHED and not ChallengeReset.objects.exists()


def test_a_funded_account_that_was_earned_is_not_reset(cast: Cast) -> None:
    lost = lose(cast)
    lost.phase = lost.challenge.version.phases.get(is_funded=True)
    lost.save(update_fields=["phase"])
    with pytest.raises(WrongState, match="can't be reset"):
        reset_phase(phase_account_id=lost.pk, actor=cast.client.user)


def test_the_page_offers_the_reset_with_its_price(cast: Cast) -> None:
    lost = lose(cast)
    browser, address = signed_in(cast.client.user), f"/portal/challenges/{lost.challenge_id}/"
    assert "Reset for €89.00" in strip_tags(browser.get(address).content.decode())
    assert signed_in(cast.other_client.user).post(f"/portal/challenges/reset/{lost.pk}/").status_code == 404
    assert browser.post(f"/portal/challenges/reset/{lost.pk}/").status_code == 302
    assert "Your account is being opened" in browser.get(address).content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_resets_at_the_same_time_are_one(cast: Cast) -> None:
    lost = lose(cast, money=50_000)
    clicks = race(
        lambda: reset_phase(phase_account_id=lost.pk, actor=cast.client.user),
        lambda: reset_phase(phase_account_id=lost.pk, actor=cast.client.user),
    )
    assert clicks.has_waited and clicks.first == clicks.second
    assert balances(cast) == (50_000 - 9_900 - 8_900, 9_900 + 8_900)
    assert verify().holds

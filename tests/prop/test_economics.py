"""Programme economics add up exactly what was sold, refunded and paid, for programmes in reach only."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from prop.challenges.resets import reset_phase
from prop.choices import PayoutState
from prop.models import ChallengePayout
from prop.programmes.economics import economics_of
from prop.programmes.exposure import exposure_of
from tests.cast import Cast, signed_in
from tests.prop.payouts.test_payouts import confirm, pay_out
from tests.prop.payouts.world import ask, earn, run_funded
from tests.prop.test_resets import lose

pytestmark = pytest.mark.django_db


def test_fees_resets_and_lost_phases_are_counted_in_their_month(cast: Cast, django_assert_num_queries) -> None:
    lost = lose(cast)
    reset_phase(phase_account_id=lost.pk, actor=cast.client.user)
    economics_of(cast.administrator)
    with django_assert_num_queries(4):
        (row,) = economics_of(cast.administrator)
    assert (row.sold, row.fees, row.resets, row.result) == (1, 99, 89, 188)
    assert (row.passed, row.lost, row.pass_rate, row.month) == (0, 1, 0, timezone.localdate().replace(day=1))
    page = signed_in(cast.administrator).get("/prop/economics/").content.decode()
    assert "€188.00" in page and "Phase 1: 0 %" in page
    (now,) = exposure_of(cast.administrator, [row])
    assert [(phase.number, phase.passed, phase.lost, phase.rate) for phase in now.phases] == [(1, 0, 1, 0)]
    assert (now.funded, now.fees, now.payout_ratio) == (0, 188, 0)
    assert not economics_of(cast.client.user)


def test_what_funded_traders_have_earned_is_the_exposure(cast: Cast, django_assert_num_queries) -> None:
    """The trader's part of profits not paid yet, losses of others set against none of it."""
    row = run_funded(cast)
    earn(row)
    exposure_of(cast.finance, [])
    with django_assert_num_queries(3):
        (now,) = exposure_of(cast.finance, [])
    assert (now.funded, now.size, now.earned, now.payout_ratio) == (1, 10_000, Decimal("800.01"), None)


def test_what_was_paid_and_refunded_lowers_the_result(cast: Cast) -> None:
    row = run_funded(cast)
    earn(row)
    confirm(pay_out(cast, ask(row)))
    assert ChallengePayout.objects.get().state == PayoutState.PAID
    (month,) = economics_of(cast.finance)
    (now,) = exposure_of(cast.finance, [month])
    assert (now.funded, now.size, now.payout_ratio, now.phases) == (1, 10_000, 800, [])
    assert (month.fees, month.paid, month.refunds) == (100, Decimal("800.01"), 100)
    assert month.result == Decimal("-800.01") and month.pass_rate is None

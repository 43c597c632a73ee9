"""Programme economics add up exactly what was sold, refunded and paid, for programmes in reach only."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from prop.challenges.resets import reset_phase
from prop.choices import PayoutState
from prop.models import ChallengePayout
from prop.programmes.economics import economics_of
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
    assert "€188.00" in page
    assert not economics_of(cast.client.user)


def test_what_was_paid_and_refunded_lowers_the_result(cast: Cast) -> None:
    row = run_funded(cast)
    earn(row)
    confirm(pay_out(cast, ask(row)))
    assert ChallengePayout.objects.get().state == PayoutState.PAID
    (month,) = economics_of(cast.finance)
    assert (month.fees, month.paid, month.refunds) == (100, Decimal("800.01"), 100)
    assert month.result == Decimal("-800.01") and month.pass_rate is None

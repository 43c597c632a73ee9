"""Suspected abuse on a funded account is in front of those who review its payout; what was cleared isn't."""

from __future__ import annotations

import pytest
from django.utils import timezone

from crm.models import WorkItem
from prop.payouts.checks import problem_of, review_checks
from risk.abuse.models import AbuseEpisode
from tests.cast import Cast
from tests.prop.payouts.world import ask, earn, run_funded

pytestmark = pytest.mark.django_db


def test_reviewers_read_open_abuse_and_decide_themselves(cast: Cast) -> None:
    row = run_funded(cast)
    earn(row)
    payout, now = ask(row), timezone.now()
    episode = AbuseEpisode.objects.create(
        kind="latency",
        brand=cast.brand,
        client=cast.client,
        accounts=[row.account_id],
        work=WorkItem.objects.create(kind="risk.abuse", brand=cast.brand, opened_at=now, due_at=now),
        score=1,
        stake=10,
        first_at=now,
        last_at=now,
        raised_at=now,
    )
    checks = review_checks(payout)
    assert [check.text for check in checks if not check.is_passed] == ["Latency arbitrage: Open."]
    assert not problem_of(checks)
    AbuseEpisode.objects.filter(pk=episode.pk).update(
        state="not_abuse", decided_by=cast.finance, decided_at=now, reason="A hedge"
    )
    assert all(check.is_passed for check in review_checks(payout))

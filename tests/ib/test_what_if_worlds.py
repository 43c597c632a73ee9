"""What-ifs on the oracle's random worlds: with the lines left out that a version can't change, they come to the same."""

import datetime as dt
import itertools
import random
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ib import engine
from ib.agreements import ranks
from ib.agreements.what_if import run_what_if
from ib.calculation import narrowing
from ib.models import PartnerPlan, PlanVersion
from tests.examples import examples
from tests.ib import factories
from tests.ib.test_oracle import DAYS, MONTHS, START, Builder, Undo

pytestmark = pytest.mark.django_db
END = START + dt.timedelta(days=DAYS + 1)
TRIED = 4  # versions in a world, each on some plan


@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(seed=st.integers(0, 2**32), partners=st.integers(2, 14), trades=st.integers(4, 30))
def test_lines_left_out_of_a_what_if_come_to_the_same(cast, monkeypatch, seed, partners, trades):
    factories.load_rates()
    try:
        with transaction.atomic():
            check_world(cast, monkeypatch, seed, partners, trades)
            raise Undo
    except Undo:
        pass


def check_world(cast, monkeypatch, seed, partners, trades):
    """All trades but the newest are accrued, half of them before the ranks were reviewed."""
    builder = Builder(cast, random.Random(seed))
    builder.build(partners, 6, trades)
    ids = sorted(builder.trades)
    engine.run_for_deals(deal_ids=ids[:-1:2])
    for _month, following in itertools.pairwise(MONTHS):
        ranks.review_ranks(brand=cast.brand, at=following - dt.timedelta(seconds=1))
    engine.run_for_deals(deal_ids=ids[1:-1:2])
    versions = list(PlanVersion.objects.order_by("pk"))
    held = sorted(set(PartnerPlan.objects.values_list("plan_id", flat=True)))
    for version in builder.random.sample(versions, TRIED):
        about = {"version_id": version.pk, "for_plan_id": builder.random.choice(held), "actor": cast.ib_manager}
        narrow = run_what_if(days=DAYS + 2, at=END, **about)
        with monkeypatch.context() as patch:
            patch.setattr(narrowing, "is_narrowed", lambda _instead: False)
            whole = run_what_if(days=DAYS + 2, at=END, **about)
        assert figures_of(narrow) == figures_of(whole)


def figures_of(kept):
    """A partner for whom nothing comes to anything may have a line or none."""
    rows = [{name: Decimal(value) for name, value in line.items()} for line in kept.lines]
    lines = {row.pop("partner_id"): row for row in rows}
    whole = [kept.deals, kept.before, kept.after, kept.charged, kept.lost, kept.passed_on]
    return whole, {partner: row for partner, row in lines.items() if any(row.values())}

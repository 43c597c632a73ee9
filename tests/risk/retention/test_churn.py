"""The churn score: fitted to months that are over, judged on held-back ones, and what it says of a client and their value."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone

from bench.risk.departures import WORLDS, fill, simulate
from crm.learning import logistic
from risk.retention.cases import judge_all
from risk.retention.churn.features import FEATURES
from risk.retention.churn.scoring import score_all
from risk.retention.churn.training import train
from risk.retention.models import ChurnModel, ClientOutlook, RetentionCase
from tests.brand_policies import set_policies
from tests.trading.factories import make_server


def test_the_fit_finds_the_weights_that_made_the_data():
    random = np.random.default_rng(3)
    x = random.normal(2, 3, (4000, 3))
    odds = (x - 2) / 3 @ np.array([1.0, -0.5, 0.0]) - 1
    y = (random.random(4000) < 1 / (1 + np.exp(-odds))).astype(float)
    model = logistic.fitted(x[:2000], y[:2000], later=x[2000:3000], happened_later=y[2000:3000])
    assert np.allclose(model.weights, [1, -0.5, 0], atol=0.2)
    predicted = model.probability(x[3000:])
    assert abs(predicted.mean() - y[3000:].mean()) < 0.05
    assert logistic.auc(np.array([1.0, 2, 3, 3]), np.array([0.0, 0, 1, 0])) == pytest.approx(5 / 6)
    assert sum(row[0] for row in logistic.calibration(predicted, y[3000:])) == 1000


@pytest.mark.django_db
def test_departures_of_a_simulated_floor_are_foreseen(cast, browse):
    """Trained on seven months, judged on two others of the same clients: better than the days since the last trade."""
    assert train() is None, "nobody has left yet"
    today, world = timezone.now().date(), WORLDS[1]
    begin = today - dt.timedelta(days=world.days - 1)
    set_policies(cast.brand, revenue_per_lot=1000)
    clients = fill(
        simulate(507, 600, world),
        count=600,
        brand=cast.brand,
        book=cast.client.book,
        server_id=make_server().pk,
        begin=begin,
    )
    row = train()
    assert ChurnModel.objects.filter(is_active=True).get() == row
    assert row.auc >= 0.8 and row.auc > row.yardstick_auc
    assert sum(part[0] for part in row.calibration) == row.held_back
    assert max(abs(predicted - seen) for _n, predicted, seen in row.calibration) < 0.25
    count = score_all()
    assert 0 < count == ClientOutlook.objects.filter(client__in=clients).count()
    riskiest = ClientOutlook.objects.order_by("-probability")[0]
    assert riskiest.reasons and set(riskiest.reasons) <= set(FEATURES)
    # At risk is the probability times a year of revenue; nobody is worth less than what they brought.
    assert float(riskiest.value_at_risk) == pytest.approx(
        12 * riskiest.probability * float(riskiest.monthly_revenue), abs=0.1
    )
    assert riskiest.lifetime_value >= 0
    agent = browse(cast.retention)
    page = agent.get(reverse("risk_retention_score")).content.decode()
    assert f"{row.auc:.3f}" in page and "Calibration" in page
    # The flags' cases are in the order of what is at risk, and say why.
    judge_all()
    case = RetentionCase.objects.filter(state="open", value_at_risk__gt=0).order_by("-value_at_risk").first()
    assert case is not None and case.value_at_risk == case.client.outlook.value_at_risk
    assert "Revenue at risk" in agent.get(case.get_absolute_url()).content.decode()

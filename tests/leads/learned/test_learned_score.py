"""The learned score: fitted to past months, judged on held-back ones, shown on the lead, in routing where the brand says so."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from crm.db.bulk import copy_models
from leads import routing
from leads.assignment import candidate_of
from leads.learned.features import FEATURES
from leads.learned.scoring import in_use
from leads.learned.training import MONTHS, train
from leads.models import Lead, LeadModel
from leads.scores.rescoring import rescore
from leads.tasks import score_open_leads
from tests.brand_policies import set_policies

pytestmark = pytest.mark.django_db
A_MONTH = 160


def fill(cast, now):
    """Write months of leads: Germans and those of a good source pay in more often, whatever points they have."""
    rng, clients, leads = random.Random(5), [], []
    for n in range(A_MONTH * (MONTHS + 1)):
        at = now - dt.timedelta(days=30 * (n // A_MONTH), hours=rng.uniform(1, 700))
        country, source = rng.choice(["DE", "DE", "FR"]), rng.choice(["portal", "ads", "ads"])
        chance = 0.1 + 0.35 * (country == "DE") + 0.35 * (source == "portal")
        paid = at + dt.timedelta(days=31) if rng.random() < chance else None
        clients.append(
            Client(
                brand=cast.brand,
                book=cast.client.book,
                email=f"past{n}@own-firm.example",
                country=country,
                language="de",
                created_at=at,
                stage="lead" if paid is None or paid > now else "funded",
                registered_at=None if paid is None or paid > now else paid,
                first_deposit_at=None if paid is None or paid > now else paid,
                source=source,
            )
        )
        leads.append(Lead(brand=cast.brand, channel="api", captured_at=at, source=source, country_guess=country))
    copy_models(clients)
    for lead, client in zip(leads, clients, strict=True):
        lead.client_id = client.pk
    copy_models(leads)


def test_learned_score_on_lead_page_and_in_routing(cast, browse, capture):
    assert train() is None and in_use() is None, "nobody has paid in yet"
    assert capture().lead.learned_score is None
    now = timezone.now()
    fill(cast, now)
    row = train(now=now)
    assert row == LeadModel.objects.get(is_active=True)
    assert row.auc > 0.65 and row.auc > row.yardstick_auc
    assert sum(part[0] for part in row.calibration) == row.held_back
    assert max(abs(predicted - seen) for _n, predicted, seen in row.calibration) < 0.35
    assert row.rates["country"]["DE"] > 0 > row.rates["country"]["FR"]

    good = capture(email="a@own-firm.example", first_name="Uwe", phone="", country="DE", source="portal").lead
    poor = capture(email="b@own-firm.example", first_name="Jean", phone="", country="FR", source="ads").lead
    assert good.learned_score > poor.learned_score and good.probability > poor.probability
    assert {reason[1:] for reason in good.learned_reasons} <= set(FEATURES) and "+country" in good.learned_reasons

    # Rules compare points until the brand says otherwise.
    points = routing.Router(cast.brand, now)._by_its_score(candidate_of(good))
    set_policies(cast.brand, lead_score_that_routes="learned")
    learned = routing.Router(cast.brand, now)._by_its_score(candidate_of(good))
    assert (points.score, learned.score) == (good.score, good.learned_score)

    # Another day says something new; the nightly round takes the leads of the last month.
    Lead.objects.filter(pk=good.pk).update(captured_at=now - dt.timedelta(days=20), probability=0.5, learned_score=1)
    rescore([good.client_id])
    good.refresh_from_db()
    assert good.probability != 0.5 and good.learned_score > 1
    assert score_open_leads() > A_MONTH / 3
    assert Lead.objects.filter(learned_score__isnull=False).count() > A_MONTH / 3

    head = browse(cast.desk_head)
    page = head.get(reverse("lead_learned_score")).content.decode()
    assert f"{row.auc:.3f}" in page and f"{row.yardstick_auc:.3f}" in page and "Calibration" in page
    assert "Learned score" in page, "the brand's setting"
    card = head.get(good.get_absolute_url()).content.decode()
    assert "probability of a deposit" in card and "Deposits from this country" in card


def test_a_second_version_replaces_the_first(cast):
    now = timezone.now()
    fill(cast, now)
    first, second = train(now=now), train(now=now)
    assert [LeadModel.objects.get(pk=row.pk).is_active for row in (first, second)] == [False, True]
    assert in_use().constant == pytest.approx(second.slope * second.intercept + second.shift)

"""What a version would have cost: equal to what it then pays, beside what the house earned, and never written as accruals."""

from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from crm.errors import DomainError, NotAllowed
from crm.files.jobs import run_job
from crm.models import Job
from ib import engine, plans
from ib.agreements.cards import VersionTerms
from ib.agreements.what_if import rows_of, run_what_if
from ib.models import Accrual, WhatIf
from tests.ib import factories
from tests.ib.factories import card, make_trade
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def traded(network):
    """Two trades of yesterday, accrued by 10 × 60/30/10 %: 3 lots, charged 12 in all, lost 40 by the client."""
    factories.load_rates(timezone.now().date())
    yesterday = timezone.now() - timezone.timedelta(days=1)
    deals = [
        make_trade(network.account, lots="1", at=yesterday, commission="-4", profit="-40"),
        make_trade(network.account, lots="2", at=yesterday, commission="-5", opening_commission="-3"),
    ]
    engine.run_for_deals(deal_ids=deals)
    return network


def draft_of(cast, network, rate_card, **terms):
    said = VersionTerms(starts_at=timezone.now(), currency="EUR", card=rate_card, **terms)
    return plans.draft_version(plan_id=network.version.plan_id, actor=cast.ib_manager, terms=said)


def test_a_what_if_says_what_each_partner_would_have_earned(traded, cast):
    draft = draft_of(cast, traded, card({"fx_majors": "20"}, {1: "0.5", 2: "0.5"}))
    before = Accrual.objects.count()
    kept = run_what_if(version_id=draft.pk, days=7, for_plan_id=None, actor=cast.ib_manager)
    assert (kept.before, kept.after, kept.deals) == (30, 60, 2)
    assert (kept.charged, kept.lost) == (12, 40)
    rows = {partner.pk: row for partner, row in rows_of(kept)}
    found = {partner.pk: (rows[partner.pk].before, rows[partner.pk].after) for partner in (traded.sub, traded.top)}
    assert found == {traded.sub.pk: (18, 30), traded.top.pk: (3, 0)}
    assert rows[traded.sub.pk].cost == 60 and rows[traded.sub.pk].is_over, "60 paid on 52 earned"
    assert Accrual.objects.count() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'ib_wanted%' AND relpersistence = 't'")
        assert cursor.fetchone() == (0,)


def test_a_what_if_equals_what_the_version_then_pays(traded, cast):
    draft = draft_of(cast, traded, card({"fx_majors": "7.77"}, {1: "0.33", 2: "0.21"}, {("fx_majors", 3): "0.4"}))
    kept = run_what_if(version_id=draft.pk, days=7, for_plan_id=None, actor=cast.ib_manager)
    plans.propose_version(version_id=draft.pk, actor=cast.ib_manager)
    plans.activate_version(version_id=draft.pk, actor=cast.finance)
    deals = [make_trade(traded.account, lots=lots, at=timezone.now()) for lots in ("1", "2")]
    engine.run_for_deals(deal_ids=deals)
    paid = sum(Accrual.objects.filter(deal_id__in=deals).values_list("amount", flat=True))
    assert paid == kept.after > 0


def test_a_plan_that_nobody_holds_is_tried_on_partners_of_another(traded, cast):
    plan = plans.create_plan(brand=cast.brand, name="New", description="", actor=cast.ib_manager)
    said = VersionTerms(starts_at=timezone.now(), currency="USD", card=card({"fx_majors": "10"}, {1: "1"}))
    draft = plans.draft_version(plan_id=plan.pk, actor=cast.ib_manager, terms=said)
    with pytest.raises(DomainError, match="No partner is on New"):
        run_what_if(version_id=draft.pk, days=7, for_plan_id=None, actor=cast.ib_manager)
    kept = run_what_if(version_id=draft.pk, days=7, for_plan_id=traded.version.plan_id, actor=cast.ib_manager)
    assert (kept.currency, kept.before, kept.after) == ("USD", Decimal("37.5"), 30)


def test_a_trade_before_the_days_is_left_out(traded, cast):
    old = make_trade(traded.account, at=timezone.now() - timezone.timedelta(days=9))
    engine.run_for_deals(deal_ids=[old])
    draft = draft_of(cast, traded, card())
    assert run_what_if(version_id=draft.pk, days=8, for_plan_id=None, actor=cast.ib_manager).deals == 2
    assert run_what_if(version_id=draft.pk, days=10, for_plan_id=None, actor=cast.ib_manager).deals == 3


def test_who_neither_writes_nor_approves_plans_may_not_try_one(traded, cast):
    draft = draft_of(cast, traded, card())
    with pytest.raises(NotAllowed):
        run_what_if(version_id=draft.pk, days=7, for_plan_id=None, actor=cast.agent)
    with pytest.raises(DomainError, match="between 1 and 92"):
        run_what_if(version_id=draft.pk, days=93, for_plan_id=None, actor=cast.ib_manager)
    assert run_what_if(version_id=draft.pk, days=92, for_plan_id=None, actor=cast.finance)


def test_the_page_warns_where_commissions_exceed_revenue_and_of_a_changed_draft(traded, cast, browse):
    draft = draft_of(cast, traded, card({"fx_majors": "20"}, {1: "1"}))
    kept = run_what_if(version_id=draft.pk, days=7, for_plan_id=None, actor=cast.ib_manager)
    browser = browse(cast.ib_manager)
    page = text_of(browser.get(reverse("ib_what_if", args=[kept.pk])))
    assert "Commissions would exceed what the company earned" in page and "was changed after" not in page
    assert "What-if, " in text_of(browser.get(traded.version.plan.get_absolute_url()))
    plans.change_draft(
        version_id=draft.pk,
        actor=cast.ib_manager,
        terms=VersionTerms(starts_at=timezone.now(), currency="EUR", card=card()),
    )
    assert "was changed after this what-if" in text_of(browser.get(reverse("ib_what_if", args=[kept.pk])))


def test_a_what_if_runs_as_a_job_and_its_result_is_kept_with_the_version(traded, cast, browse):
    draft = draft_of(cast, traded, card())
    sent = browse(cast.ib_manager).post(reverse("ib_what_if_new", args=[draft.pk]), {"days": "30"})
    job = Job.objects.get(kind="ib.what_if")
    run_job(job.pk)
    job.refresh_from_db()
    kept = WhatIf.objects.get(version=draft)
    assert sent["Location"] == reverse("job", args=[job.pk])
    assert (kept.deals, job.state, job.result_url) == (2, "done", f"/ib/what-ifs/{kept.pk}/")

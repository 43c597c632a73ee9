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
from ib.agreements.scopes import USUAL, Scope
from ib.agreements.what_if import rows_of, run_agreement_what_if, run_what_if
from ib.models import Accrual, PartnerPlan, WhatIf
from tests.cast import make_client
from tests.ib import factories
from tests.ib.factories import card, make_trade
from tests.ib.test_agreements import agree
from tests.ib.test_pages import text_of
from tests.ib.test_scopes import STANDARD, beside, whole
from trading.models import PastSymbolMapping, SymbolInfo

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


def after_of(kept, *partners):
    rows = {partner.pk: row.after for partner, row in rows_of(kept)}
    return [rows.get(partner.pk, 0) for partner in partners]


def test_a_version_of_one_of_several_agreements_is_tried_on_its_trades_alone(traded, cast):
    """MT5 standard accounts have an agreement of their own; the usual plan has the rest, here one raw account."""
    special = beside(cast, traded.sub, whole("20"), **STANDARD)
    engine.run_for_deals(deal_ids=[make_trade(factories.make_account(cast.client, group="raw"), at=timezone.now())])
    about = {"days": 7, "for_plan_id": None, "actor": cast.ib_manager}
    usual = draft_of(cast, traded, card({"fx_majors": "50"}, {1: "1"}))
    assert after_of(run_what_if(version_id=usual.pk, **about), traded.sub) == [50 + 3 * 20]
    said = VersionTerms(starts_at=timezone.now(), currency="EUR", card=whole("30"))
    draft = plans.draft_version(plan_id=special.plan_id, actor=cast.ib_manager, terms=said)
    assert after_of(run_what_if(version_id=draft.pk, **about), traded.sub) == [3 * 30 + 6]
    other = {**about, "for_plan_id": traded.version.plan_id}
    kept = run_what_if(version_id=draft.pk, **other)
    assert after_of(kept, traded.sub) == [3 * 20 + 30], "tried for those on the usual plan, its own holders keep theirs"


def test_an_active_version_tried_on_another_plan_stays_that_of_its_own(traded, cast):
    outsider = factories.make_partner(cast.brand)
    version = factories.make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=whole("4"))
    plans.assign_plan(partner_id=outsider.pk, plan_id=version.plan_id, actor=None, at=factories.LONG_AGO)
    factories.refer(cast.other_client, outsider)
    yesterday = timezone.now() - timezone.timedelta(days=1)
    engine.run_for_deals(deal_ids=[make_trade(factories.make_account(cast.other_client), at=yesterday)])
    kept = run_what_if(version_id=version.pk, days=7, for_plan_id=traded.version.plan_id, actor=cast.ib_manager)
    assert after_of(kept, traded.sub, outsider) == [12, 4]


def test_lines_that_a_version_cannot_change_count_as_they_were_accrued(traded, cast):
    """By today's mapping no trade would earn anything; where the version changes nothing that is a replay's matter."""
    outsider = factories.make_partner(cast.brand)
    other = factories.make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=whole("4"))
    plans.assign_plan(partner_id=outsider.pk, plan_id=other.plan_id, actor=None, at=factories.LONG_AGO)
    factories.refer(cast.other_client, outsider)
    yesterday = timezone.now() - timezone.timedelta(days=1)
    engine.run_for_deals(deal_ids=[make_trade(factories.make_account(cast.other_client), at=yesterday)])
    SymbolInfo.objects.update(symbol_group="crypto")
    PastSymbolMapping.objects.update(corrected_at=timezone.now())
    draft = draft_of(cast, traded, card({"fx_majors": "20"}, {1: "1"}))
    kept = run_what_if(version_id=draft.pk, days=7, for_plan_id=None, actor=cast.ib_manager)
    assert after_of(kept, traded.sub, outsider) == [0, 4]
    assert (kept.before, kept.after, kept.deals) == (34, 4, 3)


def test_a_change_of_one_partners_plan_is_tried_on_their_network(traded, cast):
    """By the plan's version of today for all of the days, at the personal ratio; others who are on the plan stay as they are."""
    old = factories.make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=whole("1"))
    new = factories.make_version(
        cast.brand, cast.ib_manager, cast.finance, plan=old.plan, starts_at=timezone.now(), rate_card=whole("40")
    )
    held, lines = PartnerPlan.objects.count(), Accrual.objects.count()
    about = {"plan_id": new.plan_id, "days": 7, "actor": cast.ib_manager}
    kept = run_agreement_what_if(partner_id=traded.sub.pk, percent=Decimal(80), scope=USUAL, **about)
    assert (kept.version, kept.partner, kept.before, kept.after, kept.deals) == (new, traded.sub, 30, 96, 2)
    assert after_of(kept, traded.sub, traded.master, traded.top) == [96, 0, 0]
    scope = Scope(priority=1, account_groups=["raw*"])
    kept = run_agreement_what_if(partner_id=traded.sub.pk, percent=plans.WHOLE, scope=scope, **about)
    assert (kept.before, kept.after) == (30, 30), "no trade on such accounts"
    kept = run_agreement_what_if(partner_id=traded.master.pk, percent=plans.WHOLE, scope=USUAL, **about)
    assert kept.after == 30, "the introducer's plan pays the whole upline"
    assert (PartnerPlan.objects.count(), Accrual.objects.count()) == (held, lines)
    plans.assign_plan(partner_id=traded.sub.pk, plan_id=new.plan_id, actor=cast.ib_manager)
    deal = make_trade(traded.account, lots="3", at=timezone.now())
    engine.run_for_deals(deal_ids=[deal])
    assert Accrual.objects.get(deal_id=deal).amount * Decimal("0.8") == 96


def test_caps_of_partners_above_count_their_other_trades(network, cast):
    """Master may have 5 EUR a day: 4 of the sub's trade, so 1 of the other's. At half the rate it's 2, and 3 of the other's."""
    factories.load_rates(timezone.now().date())
    version = agree(cast, network.sub, factories.card({"fx_majors": "10"}, {1: "0.6", 2: "0.4"}), cap_day=Decimal(5))
    other, client = (
        factories.make_partner(cast.brand, parent=network.master),
        make_client(brand=cast.brand, book=cast.client.book, email="other@example.com"),
    )
    PartnerPlan.objects.create(partner=other, plan=version.plan, starts_at=factories.LONG_AGO.replace(day=3))
    factories.refer(client, other)
    noon = (timezone.now() - timezone.timedelta(days=1)).replace(hour=12, minute=0)
    for hour, account in ((9, network.account), (11, factories.make_account(client))):
        engine.run_for_deals(deal_ids=[make_trade(account, at=noon.replace(hour=hour))])
    about = {"plan_id": version.plan_id, "days": 7, "actor": cast.ib_manager, "scope": USUAL}
    kept = run_agreement_what_if(partner_id=network.sub.pk, percent=Decimal(50), **about)
    found = {partner.pk: (row.before, row.after) for partner, row in rows_of(kept)}
    assert found[network.sub.pk] == (5, 3) and found[network.master.pk] == (1, 1)
    assert other.pk not in found and kept.deals == 1


def test_a_change_of_plan_is_tried_from_the_partners_page(traded, cast, browse):
    version = factories.make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=whole("20"))
    browser, address = browse(cast.ib_manager), reverse("ib_partner_plan", args=[traded.sub.pk])
    assert "Choose a plan to try." in text_of(browser.post(address, {"plan": "", "try": "1"}))
    sent = browser.post(address, {"plan": version.plan_id, "percent": "50", "days": "7", "try": "1"})
    job = Job.objects.get(kind="ib.what_if")
    assert sent["Location"] == reverse("job", args=[job.pk])
    run_job(job.pk)
    kept = WhatIf.objects.get()
    assert (kept.partner, kept.percent, kept.after) == (traded.sub, 50, 30)
    assert not PartnerPlan.objects.filter(plan=version.plan).exists()
    page = text_of(browser.get(kept.get_absolute_url()))
    assert f"What-if: {traded.sub} on {version.plan}, 50 %" in page
    assert kept.get_absolute_url() in browser.get(traded.sub.get_absolute_url()).content.decode()
    with pytest.raises(NotAllowed):
        run_agreement_what_if(
            partner_id=traded.sub.pk,
            plan_id=version.plan_id,
            percent=plans.WHOLE,
            scope=USUAL,
            days=7,
            actor=cast.agent,
        )

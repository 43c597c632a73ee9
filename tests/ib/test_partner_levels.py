"""Plans as levels that partners work towards: who sets one, what the partner sees, and that nobody is moved."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from crm.errors import NotAllowed
from crm.models import AuditEvent
from ib import attribution, plans
from ib.models import PartnerDay, PartnerPlan, SettlementPeriod
from ib.partner_pages.levels import levels_of, next_level
from tests.ib.factories import make_partner, make_version
from tests.outbox import data_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ladder(cast):
    """Standard for everybody, Gold from 100 lots and two active clients on; Draft has no version in force."""
    names = ("Standard", "Gold", "Draft")
    made = {name: plans.create_plan(brand=cast.brand, name=name, description="", actor=None) for name in names}
    for name in ("Standard", "Gold"):
        make_version(cast.brand, cast.ib_manager, cast.finance, plan=made[name])
    for name, lots, clients in (("Standard", None, 1), ("Gold", Decimal(100), 2), ("Draft", Decimal(50), 1)):
        made[name] = plans.set_entry(plan_id=made[name].pk, lots=lots, clients=clients, actor=cast.ib_manager)
    return made


def test_only_plans_that_pay_are_levels_in_order_of_their_entry(cast, ladder):
    assert [plan.name for plan in levels_of(cast.brand.pk)] == ["Standard", "Gold"]
    assert AuditEvent.objects.filter(action="ib.plan_level_set").count() == 3


def test_who_does_not_write_plans_sets_no_level(cast, ladder):
    with pytest.raises(NotAllowed):
        plans.set_entry(plan_id=ladder["Gold"].pk, lots=Decimal(1), clients=None, actor=cast.finance)
    ladder["Gold"].refresh_from_db()
    assert ladder["Gold"].entry_lots == 100


def test_progress_counts_thirty_days_of_lots_and_active_clients(cast, ladder):
    partner, now = make_partner(cast.brand), timezone.now()
    period = SettlementPeriod.objects.create(
        brand=cast.brand, name="now", starts_at=now - dt.timedelta(days=60), ends_at=now + dt.timedelta(hours=1)
    )
    for back, lots in ((1, 80), (40, 500)):
        day = timezone.localdate() - dt.timedelta(days=back)
        PartnerDay.objects.create(
            partner=partner, period=period, day=day, currency="EUR", amount=1, lots=lots, trades=1, unpaid=0
        )
    Client.objects.filter(pk=cast.client.pk).update(first_deposit_at=now, last_trade_at=now)
    attribution.attribute_client(client_id=cast.client.pk, partner_id=partner.pk, actor=None)
    level = next_level(partner, ladder["Standard"])
    assert level is not None and level.plan == ladder["Gold"] and not level.is_reached
    assert [(goal.text, goal.percent) for goal in level.goals] == [("80 of 100", 80), ("1 of 2", 50)]
    assert next_level(partner, ladder["Gold"]) is None


def test_the_partners_home_shows_the_way_to_the_next_level(cast, ladder, browse):
    partner = make_partner(cast.brand)
    page = browse(partner.user).get("/partners/").content.decode()
    assert "Next level" in page and "0 of 1" in page
    links = browse(partner.user).get("/partners/links/").content.decode()
    assert reverse("partner_join", args=[partner.referral_links.get().code]) in links


def test_the_plan_page_sets_and_removes_a_level(cast, ladder, browse):
    browser, gold = browse(cast.ib_manager), ladder["Gold"]
    address = reverse("ib_plan_entry", args=[gold.pk])
    assert browser.post(address, {"lots": "-1"}).status_code == 422
    browser.post(address, {"lots": "", "clients": ""})
    gold.refresh_from_db()
    assert (gold.entry_lots, gold.entry_clients) == (None, None)
    assert [plan.name for plan in levels_of(cast.brand.pk)] == ["Standard"]
    assert not PartnerPlan.objects.filter(plan=gold).exists()


def test_a_level_gained_and_a_level_lost_are_published(cast, ladder):
    partner = make_partner(cast.brand)
    standard, gold = ladder["Standard"].pk, ladder["Gold"].pk
    plain = plans.create_plan(brand=cast.brand, name="Plain", description="", actor=None)
    make_version(cast.brand, cast.ib_manager, cast.finance, plan=plain)
    for plan_id in (plain.pk, standard, gold, standard, None, plain.pk):
        plans.assign_plan(partner_id=partner.pk, plan_id=plan_id, actor=cast.ib_manager)
    assert [(event["plan_id"], event["before_plan_id"]) for event in data_of("ib.partner_level_gained")] == [
        (standard, plain.pk),
        (gold, standard),
    ]
    assert [(event["plan_id"], event["before_plan_id"]) for event in data_of("ib.partner_level_lost")] == [
        (standard, gold),
        (None, standard),
    ]

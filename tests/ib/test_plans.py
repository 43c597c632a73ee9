import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification, User
from crm.security import audit
from ib import plans
from ib.agreements import cards
from ib.models import PartnerPlan, Plan, PlanRate, PlanVersion
from ib.plan_editor.forms import PlanForm
from tests.ib.factories import LONG_AGO, NOON, card, make_partner, make_version

pytestmark = pytest.mark.django_db
TOMORROW = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)


def draft(cast, **fields):
    plan = plans.create_plan(brand=cast.brand, name="Gold", description="", actor=cast.ib_manager)
    return plans.draft_version(plan_id=plan.pk, actor=cast.ib_manager, terms=terms(**fields))


def terms(**fields):
    return cards.VersionTerms(**{"starts_at": TOMORROW, "currency": "EUR", "card": card(), **fields})


def proposed(cast):
    return plans.propose_version(version_id=draft(cast).pk, actor=cast.ib_manager)


def test_a_second_person_activates_a_plan(cast):
    version = plans.activate_version(version_id=proposed(cast).pk, actor=cast.finance, reason="fits the budget")
    assert (version.state, version.decided_by, version.starts_at) == ("active", cast.finance, TOMORROW)
    assert Notification.objects.filter(user=cast.ib_manager, kind="ib.plan_decided").exists()


def test_proposing_tells_those_who_may_decide_but_not_the_maker(cast):
    proposed(cast)
    told = set(Notification.objects.filter(kind="ib.plan_proposed").values_list("user_id", flat=True))
    assert cast.finance.pk in told and cast.ib_manager.pk not in told


def test_the_maker_cannot_activate_and_nothing_changed(cast):
    version = proposed(cast)
    with pytest.raises(NotAllowed, match="someone else"):
        plans.activate_version(version_id=version.pk, actor=cast.ib_manager)
    version.refresh_from_db()
    assert version.state == "pending"


def test_the_database_refuses_one_pair_of_eyes(cast):
    version = proposed(cast)
    with pytest.raises(IntegrityError, match="plan_is_decided_by_somebody_else"), transaction.atomic():
        PlanVersion.objects.filter(pk=version.pk).update(decided_by=cast.ib_manager, decided_at=NOON, state="active")


def test_a_draft_cannot_be_activated_without_being_proposed(cast):
    with pytest.raises(WrongState):
        plans.activate_version(version_id=draft(cast).pk, actor=cast.finance)


def test_a_rejection_says_why_and_is_final(cast):
    version = proposed(cast)
    with pytest.raises(DomainError, match="Enter a reason"):
        plans.reject_version(version_id=version.pk, actor=cast.finance, reason=" ")
    plans.reject_version(version_id=version.pk, actor=cast.finance, reason="above revenue")
    with pytest.raises(WrongState):
        plans.activate_version(version_id=version.pk, actor=cast.finance)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ib_planversion SET min_hold_seconds = 0",
        "DELETE FROM ib_planversion",
        "UPDATE ib_planrate SET amount_per_lot = 99",
        "DELETE FROM ib_planlevel",
    ],
)
def test_an_active_version_never_changes(cast, sql):
    make_version(cast.brand, cast.ib_manager, cast.finance)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_no_rate_is_added_to_an_active_version(cast):
    version = make_version(cast.brand, cast.ib_manager, cast.finance)
    with pytest.raises(DatabaseError, match="only while it is a draft"), transaction.atomic():
        PlanRate.objects.create(version=version, group="metals", amount_per_lot=1)


def test_a_later_version_ends_the_one_before(cast):
    first = make_version(cast.brand, cast.ib_manager, cast.finance)
    second = make_version(cast.brand, cast.ib_manager, cast.finance, plan=first.plan, starts_at=NOON)
    first.refresh_from_db()
    assert (first.ends_at, second.ends_at, second.number) == (NOON, None, 2)


def test_a_late_approval_starts_now_and_not_in_the_past(cast):
    first = make_version(cast.brand, cast.ib_manager, cast.finance)
    second = plans.draft_version(plan_id=first.plan_id, actor=cast.ib_manager, terms=terms(starts_at=NOON))
    plans.propose_version(version_id=second.pk, actor=cast.ib_manager)
    second = plans.activate_version(version_id=second.pk, actor=cast.finance)
    assert second.starts_at > NOON


def test_a_version_cannot_start_before_a_later_one_that_is_active(cast):
    first = make_version(cast.brand, cast.ib_manager, cast.finance)
    make_version(cast.brand, cast.ib_manager, cast.finance, plan=first.plan, starts_at=TOMORROW)
    with pytest.raises(WrongState, match="later version"):
        make_version(cast.brand, cast.ib_manager, cast.finance, plan=first.plan, starts_at=NOON)


def test_the_database_refuses_two_active_versions_at_one_time(cast):
    first = make_version(cast.brand, cast.ib_manager, cast.finance)
    other = PlanVersion.objects.create(
        plan=first.plan, number=2, starts_at=TOMORROW, currency="EUR", made_by=cast.ib_manager
    )
    with pytest.raises(IntegrityError, match="one_active_plan_version_at_a_time"), transaction.atomic():
        PlanVersion.objects.filter(pk=other.pk).update(state="active", decided_by=cast.finance, decided_at=NOON)


OVER = cards.RateCard(
    {}, {1: Decimal("0.7"), 2: Decimal("0.4")}, {}, (cards.ComponentRow("commission", "", "", Decimal("0.5")),)
)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (card(shares={1: "0.7", 2: "0.4"}), "exceeds the total"),
        (card(overrides={("fx_majors", 2): "9"}), "exceeds the total"),
        (OVER, "add up to 110 % of each component"),
        (card(rates={"fx_majors": "-1"}), "negative"),
        (card(shares={1: "1.5"}), "between 0 and 100"),
        (cards.RateCard(rates={}, shares={}, overrides={}), "at least one rate"),
    ],
)
def test_a_rate_card_that_cannot_be_meant_is_refused_in_words(cast, wrong, told):
    plan = plans.create_plan(brand=cast.brand, name="Odd", description="", actor=cast.ib_manager)
    with pytest.raises(DomainError, match=told):
        plans.draft_version(plan_id=plan.pk, actor=cast.ib_manager, terms=terms(card=wrong))
    assert not PlanVersion.objects.exists()


def test_a_withdrawn_version_is_a_draft_that_can_be_proposed_again(cast):
    version = proposed(cast)
    with pytest.raises(NotAllowed):
        plans.withdraw_version(version_id=version.pk, actor=cast.finance)
    plans.withdraw_version(version_id=version.pk, actor=cast.ib_manager)
    with pytest.raises(WrongState):
        plans.withdraw_version(version_id=version.pk, actor=cast.ib_manager)
    with pytest.raises(WrongState):
        plans.activate_version(version_id=version.pk, actor=cast.finance)
    plans.change_draft(version_id=version.pk, actor=cast.ib_manager, terms=terms(card=card(rates={"metals": "12"})))
    plans.propose_version(version_id=version.pk, actor=cast.ib_manager)
    told = Notification.objects.filter(kind="ib.plan_proposed", user=cast.finance)
    assert told.count() == 2, "they hear of it again"
    assert plans.activate_version(version_id=version.pk, actor=cast.finance).state == "active"


def test_without_a_pot_levels_may_get_more_together(cast):
    assert draft(cast, is_pool=False)


def test_a_draft_is_rewritten_by_its_maker_only(cast):
    version = draft(cast)
    changed = terms(card=card(rates={"metals": "12"}), min_hold_seconds=60)
    plans.change_draft(version_id=version.pk, actor=cast.ib_manager, terms=changed)
    version.refresh_from_db()
    assert cards.rate_card(version).rates == {"metals": Decimal(12)} and version.min_hold_seconds == 60
    with pytest.raises((WrongState, NotAllowed)):
        plans.change_draft(version_id=version.pk, actor=cast.finance, terms=terms())


def test_versions_are_numbered_one_by_one(cast):
    first = draft(cast)
    other = plans.create_plan(brand=cast.brand, name="Silver", description="", actor=cast.ib_manager)
    rows = [
        plans.draft_version(plan_id=plan_id, actor=cast.ib_manager, terms=terms())
        for plan_id in (first.plan_id, first.plan_id, other.pk)
    ]
    assert [row.number for row in (first, *rows)] == [1, 2, 3, 1]


def test_who_lost_the_right_changes_no_draft(cast):
    version = draft(cast)
    cast.ib_manager.groups.clear()
    maker = User.objects.get(pk=cast.ib_manager.pk)
    with pytest.raises(NotAllowed):
        plans.change_draft(version_id=version.pk, actor=maker, terms=terms(currency="USD"))
    version.refresh_from_db()
    assert version.currency == "EUR"


def test_every_step_of_a_version_is_in_the_trail(cast):
    version = proposed(cast)
    plans.withdraw_version(version_id=version.pk, actor=cast.ib_manager, note=" too much ")
    plans.change_draft(version_id=version.pk, actor=cast.ib_manager, terms=terms(min_hold_seconds=60))
    plans.propose_version(version_id=version.pk, actor=cast.ib_manager)
    plans.reject_version(version_id=version.pk, actor=cast.finance, reason="no budget")
    rows = AuditEvent.objects.filter(target_id=str(version.pk), action__startswith="ib.plan_").order_by("pk")
    assert [(row.action, row.actor) for row in rows] == [
        ("ib.plan_drafted", cast.ib_manager),
        ("ib.plan_proposed", cast.ib_manager),
        ("ib.plan_withdrawn", cast.ib_manager),
        ("ib.plan_draft_changed", cast.ib_manager),
        ("ib.plan_proposed", cast.ib_manager),
        ("ib.plan_rejected", cast.finance),
    ]
    said = [audit.body_of(row).get("reason", "") for row in rows]
    assert (said[2], said[5]) == ("too much", "no budget")


def test_an_agent_writes_no_plans(cast):
    with pytest.raises(NotAllowed):
        plans.create_plan(brand=cast.brand, name="Mine", description="", actor=cast.agent)


def test_an_archived_brand_is_offered_for_no_new_plan(cast):
    existing = plans.create_plan(brand=cast.brand, name="Gold", description="", actor=cast.ib_manager)
    assert cast.brand in PlanForm(user=cast.ib_manager).fields["brand"].queryset
    cast.brand.archived_at = NOON
    cast.brand.save()
    assert cast.brand not in PlanForm(user=cast.ib_manager).fields["brand"].queryset
    with pytest.raises(WrongState, match="is archived"):
        plans.create_plan(brand=cast.brand, name="Late", description="", actor=cast.ib_manager)
    assert list(Plan.objects.all()) == [existing], "what there was keeps its brand"


def test_changing_a_partners_plan_keeps_the_earlier_one_for_earlier_trades(cast):
    partner = make_partner(cast.brand)
    silver = make_version(cast.brand, cast.ib_manager, cast.finance)
    gold = make_version(cast.brand, cast.ib_manager, cast.finance)
    plans.assign_plan(partner_id=partner.pk, plan_id=silver.plan_id, actor=cast.ib_manager, at=LONG_AGO)
    plans.assign_plan(partner_id=partner.pk, plan_id=gold.plan_id, actor=cast.ib_manager, at=NOON)
    rows = list(PartnerPlan.objects.filter(partner=partner).values_list("plan_id", "starts_at", "ends_at"))
    assert rows == [(silver.plan_id, LONG_AGO, NOON), (gold.plan_id, NOON, None)]
    with pytest.raises(WrongState):
        plans.assign_plan(partner_id=partner.pk, plan_id=gold.plan_id, actor=cast.ib_manager)


def test_a_plan_without_an_active_version_is_given_to_nobody(cast):
    partner = make_partner(cast.brand)
    with pytest.raises(WrongState, match="have an active version"):
        plans.assign_plan(partner_id=partner.pk, plan_id=draft(cast).plan_id, actor=cast.ib_manager)

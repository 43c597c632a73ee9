"""Targets of a month: a desk head sets those of the own desk, each change is in the audit log."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent
from reports import targets
from reports.models import Target

MARCH = dt.date(2026, 3, 1)


def set_them(cast, values, *, actor=None, desk=None, month=MARCH):
    return targets.set_targets(
        desk_id=(desk or cast.desk).pk, month=month, values=values, actor=actor or cast.desk_head
    )


def test_a_head_sets_targets_of_desk_and_agents(cast):
    values = {(None, "net_deposits"): Decimal(50_000), (cast.agent.pk, "calls"): Decimal(30)}
    assert set_them(cast, values) == 2
    assert targets.targets_of_desk(cast.desk, MARCH) == values
    row = AuditEvent.objects.get(action="reports.targets_set")
    assert row.actor_id == cast.desk_head.pk and row.brand_id == cast.brand.pk
    assert set_them(cast, values) == 0
    assert AuditEvent.objects.filter(action="reports.targets_set").count() == 1


def test_an_empty_value_removes_a_target(cast):
    set_them(cast, {(None, "calls"): Decimal(30)})
    assert set_them(cast, {(None, "calls"): None}) == 1
    assert not Target.objects.exists()


@pytest.mark.parametrize("who", ["agent", "marketing", "finance"])
def test_other_roles_may_not(cast, who):
    with pytest.raises(NotAllowed):
        set_them(cast, {(None, "calls"): Decimal(1)}, actor=getattr(cast, who))
    assert not Target.objects.exists()


def test_a_head_sets_nothing_at_another_desk(cast):
    with pytest.raises(NotAllowed, match="access to this desk"):
        set_them(cast, {(None, "calls"): Decimal(1)}, desk=cast.other_desk)
    assert not Target.objects.exists()


@pytest.mark.parametrize(
    ("figure", "value", "message"),
    [
        ("calls", Decimal(0), "above zero"),
        ("calls", Decimal("1.5"), "whole number"),
        ("net_deposits", Decimal(10) ** 10, "one billion"),
        ("bogus", Decimal(1), "no targets"),
    ],
)
def test_what_makes_no_sense_is_refused(cast, figure, value, message):
    with pytest.raises(DomainError, match=message):
        set_them(cast, {(None, figure): value})
    assert not Target.objects.exists()


def test_an_agent_of_another_desk_gets_no_target(cast):
    with pytest.raises(DomainError, match="no clients on the desk"):
        set_them(cast, {(cast.other_agent.pk, "calls"): Decimal(1)})


def test_last_month_is_copied_where_there_is_nothing(cast):
    set_them(cast, {(None, "calls"): Decimal(30), (cast.agent.pk, "calls"): Decimal(10)}, month=dt.date(2026, 2, 1))
    set_them(cast, {(None, "calls"): Decimal(40)})
    assert targets.copy_last_month(desk_id=cast.desk.pk, month=MARCH, actor=cast.desk_head) == 1
    assert targets.targets_of_desk(cast.desk, MARCH) == {
        (None, "calls"): Decimal(40),
        (cast.agent.pk, "calls"): Decimal(10),
    }
    with pytest.raises(DomainError, match="nothing to copy"):
        targets.copy_last_month(desk_id=cast.desk.pk, month=MARCH, actor=cast.desk_head)


def test_the_database_holds_one_target_per_figure_and_month(cast):
    row = {"desk": cast.desk, "month": MARCH, "figure": "calls", "value": 1}
    Target.objects.create(**row)
    with pytest.raises(IntegrityError, match="one_target_per_figure_and_month"), transaction.atomic():
        Target.objects.create(**row)
    with pytest.raises(IntegrityError, match="target_month_is_a_first_day"), transaction.atomic():
        Target.objects.create(**{**row, "month": dt.date(2026, 4, 2)})
    with pytest.raises(IntegrityError, match="target_is_above_zero"), transaction.atomic():
        Target.objects.create(**{**row, "month": dt.date(2026, 4, 1), "value": 0})


def test_the_page_saves_the_grid(cast, browse):
    browser = browse(cast.desk_head)
    month = f"{timezone.localdate():%Y-%m}"
    page = browser.get("/reports/targets/").content.decode()
    assert f"t-{cast.agent.pk}-calls" in page and cast.other_desk.name not in page
    wrong = browser.post("/reports/targets/", {"desk": cast.desk.pk, "month": month, "t-desk-calls": "-3"})
    assert wrong.status_code == 422 and not Target.objects.exists()
    browser.post("/reports/targets/", {"desk": cast.desk.pk, "month": month, f"t-{cast.agent.pk}-calls": "25"})
    assert Target.objects.get().value == 25
    assert browser.get(f"/reports/targets/?desk={cast.other_desk.pk}").status_code == 404
    browser.post("/reports/targets/copy/", {"desk": cast.desk.pk, "month": month})
    assert Target.objects.count() == 1

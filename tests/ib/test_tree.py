import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from crm.errors import DomainError, NotAllowed, WrongState
from ib import tree
from ib.models import PartnerLink, Upline
from tests.ib.factories import NOON, make_partner
from tests.outbox import data_of

pytestmark = pytest.mark.django_db
LATER = NOON + dt.timedelta(hours=1)


def uplines(partner, at=None):
    rows = Upline.objects.filter(partner=partner).order_by("level")
    rows = rows.filter(starts_at__lte=at).exclude(ends_at__lte=at) if at else rows.filter(ends_at__isnull=True)
    return [row.ancestor_id for row in rows]


def rows_of(*partners):
    rows = Upline.objects.filter(partner__in=partners)
    return set(rows.values_list("partner_id", "ancestor_id", "level", "starts_at", "ends_at"))


def test_a_partner_stands_below_its_parent_and_the_parents_above(cast):
    top = make_partner(cast.brand)
    master = make_partner(cast.brand, parent=top)
    sub = make_partner(cast.brand, parent=master)
    assert uplines(sub) == [sub.pk, master.pk, top.pk]
    assert tree.parent_of(sub) == master


def test_moving_a_partner_leaves_the_past_as_it_was_for_everyone_below(cast):
    top, other = make_partner(cast.brand), make_partner(cast.brand)
    master = make_partner(cast.brand, parent=top)
    sub = make_partner(cast.brand, parent=master)
    tree.move_partner(partner_id=master.pk, parent_id=other.pk, actor=cast.ib_manager, reason="asked", at=NOON)
    assert uplines(sub) == [sub.pk, master.pk, other.pk]
    assert uplines(sub, NOON - dt.timedelta(seconds=1)) == [sub.pk, master.pk, top.pk]
    assert uplines(sub, NOON) == [sub.pk, master.pk, other.pk]


def test_a_move_writes_only_the_rows_that_differ(cast):
    """A large branch moves in seconds: whoever is above within it stays."""
    top, other = make_partner(cast.brand), make_partner(cast.brand)
    master = make_partner(cast.brand, parent=top)
    sub = make_partner(cast.brand, parent=master)
    within = Upline.objects.filter(partner__in=[sub, master], ancestor__in=[sub, master])
    before = set(within.values_list("pk", flat=True))
    tree.move_partner(partner_id=master.pk, parent_id=other.pk, actor=cast.ib_manager, reason="asked", at=NOON)
    tree.move_partner(partner_id=master.pk, parent_id=top.pk, actor=cast.ib_manager, reason="asked", at=LATER)
    kept = rows_of(top, other, master, sub)
    assert set(within.values_list("pk", flat=True)) == before and len(before) == 3
    Upline.objects.filter(partner__in=[top, other, master, sub]).delete()
    tree.rebuild_upline([top.pk, other.pk, master.pk, sub.pk])
    assert rows_of(top, other, master, sub) == kept, "as built from nothing"
    assert len(kept) == 2 + 1 + 3 + 2 + 3


def test_a_partner_can_be_moved_to_the_top(cast):
    master = make_partner(cast.brand, parent=make_partner(cast.brand))
    tree.move_partner(partner_id=master.pk, parent_id=None, actor=cast.ib_manager, reason="promoted")
    assert uplines(master) == [master.pk] and tree.parent_of(master) is None


def test_a_move_that_closes_a_circle_is_refused_in_words(cast):
    top = make_partner(cast.brand)
    sub = make_partner(cast.brand, parent=make_partner(cast.brand, parent=top))
    with pytest.raises(WrongState, match="loop"):
        tree.move_partner(partner_id=top.pk, parent_id=sub.pk, actor=cast.ib_manager, reason="")
    assert uplines(top) == [top.pk]


def test_a_tree_has_a_deepest_level(cast, monkeypatch):
    monkeypatch.setattr(tree, "LEVELS_MAX", 3)
    top, other = make_partner(cast.brand), make_partner(cast.brand)
    master = make_partner(cast.brand, parent=top)
    sub = make_partner(cast.brand, parent=master)
    for partner, parent in ((other, sub), (top, other), (master, make_partner(cast.brand, parent=other))):
        with pytest.raises(DomainError, match="at most 3 levels"):
            tree.move_partner(partner_id=partner.pk, parent_id=parent.pk, actor=cast.ib_manager, reason="")
    with pytest.raises(DomainError, match="at most 3 levels"), transaction.atomic():
        make_partner(cast.brand, parent=sub)
    assert uplines(sub) == [sub.pk, master.pk, top.pk] and uplines(other) == [other.pk]


def test_the_database_refuses_a_circle_that_python_did_not_see(cast):
    top = make_partner(cast.brand)
    sub = make_partner(cast.brand, parent=make_partner(cast.brand, parent=top))
    with pytest.raises(IntegrityError, match="above itself"), transaction.atomic():
        PartnerLink.objects.create(partner=top, parent=sub, starts_at=NOON)


def test_what_was_above_earlier_may_stand_below_later(cast):
    top = make_partner(cast.brand)
    sub = make_partner(cast.brand, parent=top)
    tree.move_partner(partner_id=sub.pk, parent_id=None, actor=None, reason="", at=NOON)
    tree.move_partner(partner_id=top.pk, parent_id=sub.pk, actor=None, reason="", at=NOON)
    assert uplines(top) == [top.pk, sub.pk]
    assert uplines(sub, NOON - dt.timedelta(days=1)) == [sub.pk, top.pk]


def test_a_partner_of_another_brand_cannot_be_the_parent(cast):
    stranger, ours = make_partner(cast.other_brand), make_partner(cast.brand)
    with pytest.raises(IntegrityError, match="one brand"), transaction.atomic():
        PartnerLink.objects.create(partner=ours, parent=stranger, starts_at=NOON)


@pytest.mark.parametrize("sql", ["UPDATE ib_partnerlink SET parent_id = partner_id", "DELETE FROM ib_partnerlink"])
def test_old_links_cannot_be_rewritten(cast, sql):
    make_partner(cast.brand, parent=make_partner(cast.brand))
    with pytest.raises(DatabaseError, match="history stays"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_an_agent_cannot_move_partners_and_nothing_changed(cast):
    top, other = make_partner(cast.brand), make_partner(cast.brand)
    sub = make_partner(cast.brand, parent=top)
    with pytest.raises(NotAllowed):
        tree.move_partner(partner_id=sub.pk, parent_id=other.pk, actor=cast.agent, reason="")
    assert uplines(sub) == [sub.pk, top.pk]


def test_the_snapshot_of_a_brand_can_be_made_anew(cast):
    top = make_partner(cast.brand)
    sub = make_partner(cast.brand, parent=top)
    before = list(Upline.objects.order_by("partner_id", "level").values_list("partner_id", "ancestor_id", "level"))
    tree.rebuild_brand(cast.brand.pk)
    assert (
        list(Upline.objects.order_by("partner_id", "level").values_list("partner_id", "ancestor_id", "level")) == before
    )
    assert uplines(sub) == [sub.pk, top.pk]


def test_a_move_is_published_with_both_places(cast):
    top = make_partner(cast.brand)
    master = make_partner(cast.brand, parent=top)
    tree.move_partner(partner_id=master.pk, parent_id=None, actor=cast.ib_manager, reason="promoted")
    assert data_of("ib.partner_moved") == [
        {"partner_id": master.pk, "from_parent_id": None, "to_parent_id": top.pk},
        {"partner_id": master.pk, "from_parent_id": top.pk, "to_parent_id": None},
    ]

"""A row read by a statement that was written before is the row that Django would read."""

import pytest
from django.db.models import Model, Q

from crm.db.prepared import ByKey
from crm.models import User

pytestmark = pytest.mark.django_db


def values(row: Model) -> dict:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_it_reads_what_a_query_would_read(cast, django_assert_num_queries):
    users = ByKey(lambda: User.objects.select_related("brand"))
    User.objects.filter(pk=cast.support.pk).update(brand=None)
    for pk in (cast.agent.pk, cast.support.pk, cast.client_user.pk):
        with django_assert_num_queries(1):
            found = users.get(pk)
            brand = found.brand
        asked = User.objects.get(pk=pk)
        assert values(found) == values(asked) and brand == asked.brand
        assert brand is None or values(brand) == values(asked.brand)
        assert not found._state.adding
    assert users.get(0) is None


def test_a_key_of_several_fields_finds_its_row(cast):
    users = ByKey(lambda: User.objects.filter(last_login=None), "email", "brand_id")
    agent = cast.agent
    assert users.find(brand_id=agent.brand_id, email=agent.email) == agent
    assert users.find(brand_id=cast.other_brand.pk, email=agent.email) is None


def test_a_query_with_parameters_is_refused():
    with pytest.raises(AssertionError, match="only parameter"):
        ByKey(lambda: User.objects.filter(kind="staff")).get(1)


def test_of_many_rows_no_more_than_asked_for_are_read(cast):
    users = ByKey(lambda: User.objects.order_by("-pk"), "brand_id", most=2)
    brand = cast.agent.brand_id
    assert users.all(brand_id=brand) == list(User.objects.filter(brand_id=brand).order_by("-pk")[:2])
    assert len(users.all(brand_id=brand)) == 2


def test_a_key_may_be_one_of_several_that_a_row_has(cast):
    mine = ByKey(
        lambda: User.objects.order_by("pk"),
        "desk",
        "brand",
        "kind",
        where=lambda desk, brand, kind: (Q(desk=desk) | Q(brand=brand)) & Q(kind=kind),
    )
    agent = cast.agent
    asked = User.objects.filter(Q(desk=agent.desk_id) | Q(brand=cast.other_brand.pk), kind="staff").order_by("pk")
    assert mine.all(kind="staff", desk=agent.desk_id, brand=cast.other_brand.pk) == list(asked)
    assert mine.all(kind="staff", desk=None, brand=None) == []

"""A condition on an event's data means the same in PostgreSQL, when events are published, and in Python."""

import datetime as dt
import json
from functools import partial

import pytest
from django.db import connection
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crm.conditions import FieldType, read
from crm.conditions.operators import BY_TYPE
from crm.errors import outcome_of
from crm.events.bus import EVENT_TYPES
from crm.events.conditions import path_of, vocabulary_of
from crm.events.schemas import catalogue
from tests.examples import examples

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
WORDS = ["DE", "de-search", "a.b", 'quo"te', "back\\slash", "ä", "$x", "(", "^a", "new\nline", "x"]
NUMBERS = ["-5", "0", "0.1", "12.50", "1000000000.25", "7"]
text, number = st.sampled_from(WORDS), st.sampled_from(NUMBERS)


def vocabulary():
    return vocabulary_of(catalogue())


def values_of(type_):
    """Draw what a payload has: as `to_payload` writes it, or as a set's columns are written, or nothing."""
    return {
        FieldType.TEXT: st.one_of(st.none(), st.just(""), text),
        FieldType.NUMBER: st.one_of(st.none(), st.integers(-10, 1000)),
        FieldType.DECIMAL: st.one_of(st.none(), number, st.integers(-10, 10)),
        FieldType.YES_NO: st.one_of(st.none(), st.booleans()),
        FieldType.SET: st.one_of(st.none(), st.lists(text, max_size=3)),
    }[type_]


def asked_of(operator):
    if operator.code in ("in", "has"):
        return st.lists(text, min_size=1, max_size=3, unique=True)
    if operator.code in ("is", "starts", "contains"):
        return text
    return st.none() if operator.code in ("yes", "empty") else st.sampled_from(["-5", "0", "12", "7"])


@st.composite
def comparisons(draw):
    field = draw(st.sampled_from(vocabulary().fields))
    operator = draw(st.sampled_from(BY_TYPE[field.type]))
    value = draw(asked_of(operator))
    part = {"field": field.name, "is": operator.code}
    return part if value is None else {**part, "value": value}


def grouped(parts):
    return st.one_of(
        parts.map(lambda part: {"not": part}),
        st.lists(parts, min_size=1, max_size=3).map(lambda some: {"all": some}),
        st.lists(parts, min_size=1, max_size=3).map(lambda some: {"any": some}),
    )


conditions = st.recursive(comparisons(), grouped, max_leaves=5)


@st.composite
def payloads(draw, fields):
    chosen = draw(st.lists(st.sampled_from(fields), max_size=6, unique_by=lambda field: field.name))
    return {field.name: draw(values_of(field.type)) for field in chosen}


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_path_and_python_agree(db, data):
    drawn = outcome_of(partial(read, {"version": 1, "all": [data.draw(conditions)]}, vocabulary()))
    assume(drawn)  # what can never be met is refused
    condition = drawn.result
    asked = condition.fields() or vocabulary().fields
    rows = data.draw(st.lists(payloads(asked), min_size=1, max_size=6))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT jsonb_path_match(p::jsonb, %s::jsonpath, silent => true) IS TRUE "
            "FROM unnest(%s::text[]) WITH ORDINALITY AS payload (p, place) ORDER BY place",
            [path_of(condition), [json.dumps(row) for row in rows]],
        )
        found = [row[0] for row in cursor.fetchall()]
    assert found == [condition.holds(row, NOW) for row in rows], (condition.sentence(), path_of(condition))


def test_every_event_and_field_has_a_name():
    assert all(event_type.label for event_type in catalogue()) and len(catalogue()) == len(
        {str(event_type.label) for event_type in catalogue()}
    )
    assert all(str(field.label) != field.name for field in vocabulary().fields)
    assert EVENT_TYPES["wallet.deposit_settled"].label == "Deposit settled"

"""`bench conditions`: every segment is one that can be read, and one statement."""

from __future__ import annotations

import pytest
from django.utils import timezone

from bench.conditions import SEGMENTS
from clients.queries import clients_visible_to
from clients.vocabulary import CLIENT
from crm.conditions import read

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", SEGMENTS)
def test_a_segment_is_one_statement_and_has_a_sentence(cast, django_assert_num_queries, name):
    condition = read(SEGMENTS[name], CLIENT)
    found = clients_visible_to(cast.mlro).filter(condition.q(timezone.now()))
    with django_assert_num_queries(1):
        list(found.order_by("-id").only("id")[:51])
    assert condition.sentence()

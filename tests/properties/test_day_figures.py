"""Whatever is moved, paid and contacted: figures per agent add up to the brand's, and past days stay whose they were."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clients.models import BookDesk, Call, Client, Ownership
from crm.models import Book
from leads.models import Lead
from reports import upkeep
from reports.models import DayFigure, OriginDay
from tests.cast import make_cast, make_client
from tests.examples import examples
from tests.ib.test_settlement import arrived
from wallet.models import Deposit

START = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
CLIENTS, BOOKS, DESKS = 3, 3, 2
pytestmark = pytest.mark.django_db
hours = st.integers(0, 24 * 20)
clients = st.integers(0, CLIENTS - 1)
acts = st.one_of(
    st.tuples(st.just("move"), hours, clients, st.integers(0, BOOKS - 1)),
    st.tuples(st.just("desk"), hours, st.integers(0, BOOKS - 1), st.integers(0, DESKS - 1)),
    st.tuples(st.just("deposit"), hours, clients, st.integers(1, 900)),
    st.tuples(st.just("lead"), hours, clients, st.booleans()),
    st.tuples(st.just("call"), hours, clients, st.just(0)),
)


class DayFigures(TestCase):
    def setUp(self) -> None:
        self.cast = make_cast()
        other = Book.objects.get(owner=self.cast.other_agent)
        self.books = [self.cast.book, other, self.cast.pool]
        self.desks = [self.cast.desk, self.cast.other_desk]
        self.began_under = {book.pk: book.desk_id for book in self.books}
        self.people = [
            make_client(brand=self.cast.brand, book=self.cast.book, email=f"p{n}@example.com", login=False)
            for n in range(CLIENTS)
        ]
        Client.objects.filter(pk__in=[p.pk for p in self.people]).update(created_at=START)

    @settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(acts, max_size=25))
    def test_agents_add_up_to_the_brand_and_nothing_past_moves(self, plan):
        """Acts are done in the order of their time; figures are taken in after each day or not, and are the same."""
        owners: dict[int, list[tuple[dt.datetime, Book]]] = defaultdict(list)
        desks: dict[int, list[tuple[dt.datetime, int | None]]] = defaultdict(list)
        paid: Counter[tuple] = Counter()
        closed: list[tuple] = []
        for turn, (kind, hour, what, value) in enumerate(sorted(plan, key=lambda act: act[1])):
            at = START + dt.timedelta(hours=hour, minutes=turn)
            closed = self._day_is_over(at, closed)
            if kind == "move":
                self._move(self.people[what], self.books[value], at)
                owners[what].append((at, self.books[value]))
            elif kind == "desk":
                self._put_under(self.books[what], self.desks[value], at)
                desks[self.books[what].pk].append((at, self.desks[value].pk))
            elif kind == "deposit":
                arrived(SimpleNamespace(client=self.people[what], brand=self.cast.brand), value * 100, at, f"d{turn}")
                book = owners[what][-1][1] if owners[what] else self.cast.book
                desk = desks[book.pk][-1][1] if desks[book.pk] else self.began_under[book.pk]
                paid[at.date(), book.owner_id, book.pk, desk] += value
            else:
                self._contact(kind, self.people[what], at, is_contacted=bool(value))
        self._is_sound(plan)
        assert {
            (row.day, row.owner_id, row.book_id, row.desk_id): row.deposits
            for row in DayFigure.objects.filter(deposits__gt=0)
        } == paid

    def _day_is_over(self, at, closed):
        """Rows of agents of days before are what they were, whatever was moved since."""
        upkeep.refresh()
        past = DayFigure.objects.filter(day__lt=at.date(), owner__isnull=False).order_by("pk")
        now = {(row.day, row.owner_id, row.book_id, row.desk_id): (row.leads, row.calls, row.deposits) for row in past}
        for key, figures in closed:
            assert all(a >= b for a, b in zip(now[key], figures, strict=True)), "an agent's past was taken away"
        return list(now.items())

    def _move(self, client, book, at) -> None:
        Ownership.objects.create(client=client, book=book, owner=book.owner, since=at)
        Client.objects.filter(pk=client.pk).update(book=book, owner=book.owner)

    def _put_under(self, book, desk, at) -> None:
        BookDesk.objects.create(book=book, desk=desk, since=at)
        Book.objects.filter(pk=book.pk).update(desk=desk)

    def _contact(self, kind, client, at, *, is_contacted) -> None:
        if kind == "call":
            Call.objects.create(client=client, agent=self.cast.agent, outcome="reached", started_at=at)
            return
        touched = at + dt.timedelta(minutes=5) if is_contacted else None
        Lead.objects.create(client=client, brand=self.cast.brand, channel="form", captured_at=at, touched_at=touched)

    def _is_sound(self, plan) -> None:
        upkeep.refresh()
        assert upkeep.check() == 0
        kept = self._all_rows()
        upkeep.rebuild()
        upkeep.rebuild()
        assert self._all_rows() == kept
        kinds = Counter(act[0] for act in plan)
        assert sum(row.leads for row in DayFigure.objects.all()) == kinds["lead"]
        assert sum(row.calls for row in DayFigure.objects.all()) == kinds["call"]
        assert sum(row.deposits for row in DayFigure.objects.all()) == sum(
            Deposit.objects.values_list("base_amount", flat=True)
        )
        self._periods_fit()

    def _all_rows(self) -> list[tuple]:
        fields = ("day", "owner_id", "book_id", "desk_id", "leads", "touch_seconds", "calls", "deposits")
        return [sorted(map(str, model.objects.order_by().values_list(*fields))) for model in (DayFigure, OriginDay)]

    def _periods_fit(self) -> None:
        """From the beginning to the end, without gap or overlap."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT client_id, since::text, until::text FROM clients_ownership_period ORDER BY client_id, since"
            )
            rows = cursor.fetchall()
        for client in {row[0] for row in rows}:
            periods = [(since, until) for pk, since, until in rows if pk == client]
            assert (periods[0][0], periods[-1][1]) == ("1970-01-01 00:00:00+00", "infinity")
            assert all(a[1] == b[0] for a, b in pairwise(periods))

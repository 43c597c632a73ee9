"""Whatever hangs on three records of one person: merging them, in a chain or side by side, and undoing it changes nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clients.choices import CallOutcome, IdentifierKind, TimelineKind
from clients.identifiers import learn
from clients.merging.attachments import moved_ones
from clients.merging.merge import FIELDS, merge_clients, undo_merge
from clients.models import Call, Client, CustomField, CustomValue, Message, Note, Task, TimelineEntry
from crm.errors import WrongState, outcome_of
from leads.models import Lead
from tests.cast import make_cast, make_client

START = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
PEOPLE = 3
pytestmark = pytest.mark.django_db
people = st.integers(0, PEOPLE - 1)
small = st.integers(0, 3)
kinds = st.sampled_from(["call", "note", "task", "message", "entry", "value", "identifier", "lead"])
FACTS = (
    "stage",
    "merged_into_id",
    "score",
    "source",
    "campaign",
    "last_contact_at",
    "sales_status",
    "owner_id",
    "book_id",
)
NAMES = ("first_name", "last_name", "city", "country", "phone")
values = st.fixed_dictionaries({name: st.sampled_from(["", "A", "B"]) for name in NAMES})
taken = st.sets(st.sampled_from([*FIELDS, "custom_0", "custom_1"]))


class Merges(TestCase):
    def setUp(self) -> None:
        self.cast = make_cast()
        self.fields = [
            CustomField.objects.create(
                brand=self.cast.brand, key=key, position=1, type="text", labels={"en": key}, created_at=START
            )
            for key in ("hat", "shoe")
        ]

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(values, min_size=PEOPLE, max_size=PEOPLE),
        st.lists(st.tuples(kinds, people, small), max_size=16),
        st.lists(st.tuples(people, people, taken), max_size=4),
    )
    def test_merge_then_undo_is_the_identity(self, details, attached, merges):
        clients = [
            make_client(
                brand=self.cast.brand, book=self.cast.book, email=f"p{n}@example.com", login=False, **details[n]
            )
            for n in range(PEOPLE)
        ]
        for kind, person, number in attached:
            self._attach(kind, clients[person], number)
        for client in clients:  # facts as their source tables have them
            rebuild(client)
        before = self._state(clients)
        done = []
        for kept, merged, fields in merges:
            chosen = {
                f"custom_{self.fields[int(name[-1])].pk}" if name.startswith("custom_") else name for name in fields
            }
            result = outcome_of(
                lambda k=clients[kept].pk, m=clients[merged].pk, t=chosen: merge_clients(
                    kept_id=k, merged_id=m, actor=None, taken=t
                )
            )
            if not result:
                assert kept == merged or isinstance(result.error, WrongState)
                continue
            done.append(result.result)
            now = self._state(clients, only=before)
            assert all(now[key].keys() == before[key].keys() for key in before), "a row is lost"
        for merge in reversed(done):
            undo_merge(merge_id=merge.pk, actor=None, reason="Not one person")
        assert self._state(clients, only=before) == before

    def _state(self, clients: list[Client], only: dict[str, Any] | None = None) -> dict[str, Any]:
        """Whose each row is, and what the records say. only: the rows of an earlier state, without what merging wrote."""
        ids = [client.pk for client in clients]
        state: dict[str, Any] = {}
        for entry in moved_ones():
            rows = entry.model._base_manager.filter(**{f"{entry.column}__in": ids})
            if only is not None:
                rows = rows.filter(pk__in=only[entry.key])
            state[entry.key] = dict(rows.filter(entry.only).values_list("pk", entry.column))
        if only is None or "clients" in only:
            state["values"] = dict(enumerate(sorted(CustomValue.objects.values_list("client_id", "field_id", "text"))))
            state["clients"] = dict(enumerate(Client.objects.filter(pk__in=ids).order_by("pk").values(*FIELDS, *FACTS)))
        return state

    def _attach(self, kind: str, client: Client, number: int) -> None:
        at, agent = START + dt.timedelta(hours=number), self.cast.agent
        if kind == "call":
            Call.objects.create(client=client, agent=agent, outcome=CallOutcome.REACHED, started_at=at)
        elif kind == "note":
            Note.objects.create(client=client, author=agent, body=str(number))
        elif kind == "task":
            Task.objects.create(client=client, assignee=agent, title="Call", due_at=at)
        elif kind == "message":
            key = f"m{number}" if number else ""
            Message.objects.filter(client=client, dedupe_key=key).exclude(dedupe_key="").delete()
            Message.objects.create(
                client=client, language="en", to_address="a@example.com", subject="S", dedupe_key=key
            )
        elif kind == "entry":
            key = f"e{number}" if number else ""
            TimelineEntry.objects.filter(client=client, dedupe_key=key).exclude(dedupe_key="").delete()
            TimelineEntry.objects.create(client=client, at=at, kind=TimelineKind.NOTE, title="T", dedupe_key=key)
        elif kind == "value":
            CustomValue.objects.update_or_create(
                client=client, field=self.fields[number % 2], defaults={"type": "text", "text": str(client.pk)}
            )
        elif kind == "identifier":
            learn(client.pk, IdentifierKind.DEVICE, f"device-{number}", at=at)
        else:
            Lead.objects.create(client=client, brand=self.cast.brand, channel="api", captured_at=at, score=number)


def rebuild(client: Client) -> None:
    from clients.facts import names_of, rebuild_clients

    rebuild_clients([client.pk], *names_of("clients"), *names_of("leads"))

"""Due rows: set, moved, cancelled, handled once, retried, given up, run again, pruned; one failing row holds up no other."""

import datetime as dt
import threading

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.utils import timezone

from crm import due as kit
from crm.due import DueItem, DueKind, cancel, cancel_many, due, due_many, kinds, prune, replay, replay_each, sweep
from crm.due.queries import figures, next_of_client
from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent, DueRow

NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def handled():
    return []


@pytest.fixture
def kind(monkeypatch, handled):
    monkeypatch.setattr(kinds, "KINDS", {})
    made = DueKind("crm.test", "Test", lambda row: handled.append(row.key), back_off_seconds=(2, 10))
    kinds.KINDS[made.code] = made
    for module in (kit.sweep.__globals__, figures.__globals__):
        monkeypatch.setitem(module, "KINDS", kinds.KINDS)
    return made


def failing(handled, bad, **options):
    def handle(rows):
        for row in rows:
            if row.key in bad:
                raise ValueError(f"no {row.key}")
            handled.append(row.key)

    return DueKind("crm.test", "Test", batch_handler=handle, back_off_seconds=(2, 10), **options)


def row(key):
    return DueRow.objects.filter(key=key).latest("pk")


@pytest.mark.django_db
class TestSetting:
    def test_only_sooner_moves_a_row_to_an_earlier_time_and_never_to_a_later_one(self, kind):
        for minutes, wanted in ((5, 5), (9, 5), (2, 2)):
            due(kind, key=7, at=NOW + minutes * MINUTE, only_sooner=True)
            assert (row(7).at, row(7).next_at) == (NOW + wanted * MINUTE, NOW + wanted * MINUTE)
        assert row(7).revision == 3, "each of them keeps a row whose handler is at work"

    def test_it_is_handled_when_its_time_has_come_and_once(self, kind, handled):
        with time_machine.travel(NOW, tick=False):
            due(kind, key=7, at=NOW + MINUTE, client_id=3, payload={"a": 1})
            assert sweep(kinds=[kind]) == 0
        with time_machine.travel(NOW + MINUTE, tick=False):
            assert sweep(kinds=[kind]) == 1
            assert sweep(kinds=[kind]) == 0
        assert handled == ["7"]
        done = row(7)
        assert (done.state, done.attempts, done.client_id, done.payload) == ("done", 1, 3, {"a": 1})
        assert done.done_at == NOW + MINUTE

    def test_setting_it_again_moves_it(self, kind, handled):
        due(kind, key="a", at=NOW - MINUTE)
        due(kind, key="a", at=timezone.now() + MINUTE)
        assert DueRow.objects.count() == 1 and row("a").revision == 2
        assert sweep(kinds=[kind]) == 0 and not handled

    def test_a_done_row_is_kept_and_a_new_one_made(self, kind, handled):
        for _time in range(2):
            due(kind, key="a", at=NOW - MINUTE)
            sweep(kinds=[kind])
        assert handled == ["a", "a"] and DueRow.objects.filter(state="done").count() == 2

    def test_of_the_same_key_twice_in_one_call_the_last_holds(self, kind):
        due_many(kind, [DueItem("a", NOW), DueItem("a", NOW + MINUTE)])
        assert row("a").at == NOW + MINUTE

    def test_a_cancelled_row_is_not_handled(self, kind, handled):
        due_many(kind, [DueItem(key, NOW - MINUTE) for key in "abc"])
        assert cancel(kind, "a") and not cancel(kind, "a")
        assert cancel_many(kind, ["b", "x"]) == 1
        sweep(kinds=[kind])
        assert handled == ["c"] and row("a").state == "cancelled"

    def test_a_handler_may_set_its_own_row_again(self, kind):
        def again(one):
            due(repeated, key=one.key, at=timezone.now() + MINUTE)

        repeated = DueKind("crm.test", "Test", again)
        due(repeated, key="a", at=NOW - MINUTE)
        assert sweep(kinds=[repeated]) == 1
        assert row("a").state == "pending" and row("a").at > timezone.now() and DueRow.objects.count() == 1

    def test_two_kinds_of_one_name_are_refused(self, kind):
        with pytest.raises(TypeError, match="two kinds"):
            kinds.declare(DueKind("crm.test", "Again", print))
        with pytest.raises(TypeError, match="either"):
            DueKind("crm.other", "Other")


@pytest.mark.django_db
class TestFailing:
    def test_it_is_tried_again_later_and_in_the_end_failed(self, handled):
        kind = failing(handled, {"a"})
        with time_machine.travel(NOW, tick=False):
            due(kind, key="a", at=NOW)
        waits = []
        for attempt in range(3):
            with time_machine.travel(row("a").next_at, tick=False):
                sweep(kinds=[kind])
                waits.append((row("a").next_at - timezone.now()).total_seconds())
            assert row("a").attempts == attempt + 1
        assert waits == [2, 10, 0]
        assert row("a").state == "failed" and "no a" in row("a").error and row("a").at == NOW
        with time_machine.travel(NOW + 99 * MINUTE, tick=False):
            assert sweep(kinds=[kind]) == 0

    def test_one_bad_row_of_a_batch_holds_up_no_other(self, handled):
        kind = failing(handled, {"b"})
        due_many(kind, [DueItem(key, NOW - MINUTE) for key in "abc"])
        sweep(kinds=[kind])
        assert sorted(set(handled)) == ["a", "b", "c"][::2]
        assert [row(key).state for key in "abc"] == ["done", "pending", "done"]

    def test_what_a_failed_handler_wrote_is_gone(self, cast):
        def write_and_fail(one):
            DueRow.objects.create(kind="x", key="left", at=NOW, next_at=NOW)
            raise ValueError

        kind = DueKind("crm.test", "Test", write_and_fail)
        due(kind, key="a", at=NOW)
        sweep(kinds=[kind])
        assert not DueRow.objects.filter(key="left").exists() and row("a").attempts == 1

    def test_a_kind_that_breaks_holds_up_no_other_kind(self, kind, handled, monkeypatch):
        broken = DueKind("crm.broken", "Broken", print, batch=0)
        monkeypatch.setattr(DueKind, "rows_at_once", property(lambda self: 1 / 0 if self is broken else 1))
        due(kind, key="a", at=NOW)
        assert sweep(kinds=[broken, kind]) == 1 and handled == ["a"]

    def test_a_failed_row_that_is_set_again_starts_anew(self, handled):
        kind = failing(handled, set())
        DueRow.objects.create(kind=kind.code, key="a", at=NOW, next_at=NOW, state="failed", attempts=9, done_at=NOW)
        due(kind, key="a", at=NOW)
        assert (row("a").state, row("a").attempts, DueRow.objects.count()) == ("pending", 0, 1)

    def test_replaying_makes_it_due_now_and_is_audited(self, cast, kind, handled):
        due(kind, key="a", at=NOW, client_id=cast.client.pk)
        DueRow.objects.update(state="failed", attempts=3, done_at=NOW)
        with pytest.raises(NotAllowed):
            replay(due_id=row("a").pk, actor=cast.agent)
        assert row("a").state == "failed"
        replay(due_id=row("a").pk, actor=cast.administrator)
        assert AuditEvent.objects.get(action="crm.due_replayed").client_id == cast.client.pk
        with pytest.raises(WrongState):
            replay(due_id=row("a").pk, actor=cast.administrator)
        assert replay_each(due_ids=[row("a").pk], actor=cast.administrator) == 0
        assert sweep(kinds=[kind]) == 1 and handled == ["a"]


@pytest.mark.django_db
def test_old_done_rows_are_pruned_a_bounded_number_at_a_time(kind):
    month = timezone.now() - dt.timedelta(days=31)
    states = ["done", "done", "cancelled", "failed", "pending"]
    for number, state in enumerate(states):
        done_at = None if state == "pending" else month
        DueRow.objects.create(kind="x", key=number, at=month, next_at=month, state=state, done_at=done_at)
    DueRow.objects.create(kind="x", key="young", at=month, next_at=month, state="done", done_at=timezone.now())
    assert prune(at_most=2) == 2
    assert prune() == 1
    assert prune() == 0
    assert sorted(DueRow.objects.values_list("state", flat=True)) == ["done", "failed", "pending"]


@pytest.mark.django_db
def test_figures_say_what_waits_and_how_late_it_is(kind):
    due_many(kind, [DueItem("a", timezone.now() - 5 * MINUTE), DueItem("b", timezone.now() + MINUTE)])
    DueRow.objects.create(kind=kind.code, key="c", at=NOW, next_at=NOW, state="failed", done_at=NOW)
    (shown,) = figures()
    assert (shown.pending, shown.overdue, shown.failed) == (2, 1, 1)
    assert shown.oldest_at == row("a").at


@pytest.mark.django_db
def test_a_client_s_next_rows_are_those_that_the_reader_may_see(cast, kind, monkeypatch):
    secret = DueKind("crm.secret", "Secret", print, permission="crm.manage_events")
    kinds.KINDS[secret.code] = secret
    due(kind, key="a", at=NOW, client_id=cast.client.pk)
    due(secret, key="b", at=NOW - MINUTE, client_id=cast.client.pk)
    due(kind, key="c", at=NOW, client_id=cast.other_client.pk)
    assert [one.key for one in next_of_client(cast.agent, cast.client.pk)] == ["a"]
    assert [one.key for one in next_of_client(cast.administrator, cast.client.pk)] == ["b", "a"]


@pytest.mark.django_db
def test_the_sweeper_s_query_uses_the_index_of_pending_rows(kind):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM crm_duerow WHERE kind = 'x' AND state = 'pending' AND next_at <= now()"
            " ORDER BY next_at, id LIMIT 500 FOR UPDATE SKIP LOCKED"
        )
        assert "due_by_kind" in str(cursor.fetchall())


def in_thread(work):
    def run():
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
class TestSeveralConnections:
    def test_nothing_is_due_outside_a_transaction(self, kind):
        with pytest.raises(RuntimeError, match="outside a transaction"):
            due(kind, key="a", at=NOW)

    def test_what_is_rolled_back_is_not_due(self, kind):
        with transaction.atomic():
            due(kind, key="a", at=NOW)
            transaction.set_rollback(True)
        assert sweep(kinds=[kind]) == 0

    def test_sweepers_share_the_rows(self, cast, handled):
        kind = failing(handled, set(), batch=7)
        with transaction.atomic():
            due_many(kind, [DueItem(number, NOW) for number in range(100)])
        threads = [in_thread(lambda: sweep(kinds=[kind])) for _number in range(3)]
        for thread in threads:
            thread.join()
        assert sorted(map(int, handled)) == list(range(100))

    def test_the_sweeper_gives_way_to_a_verb(self, cast, handled):
        """The verb has the record and wants the due row; the handler has the due row and wants the record."""

        def wants_record(one):
            reached.set()
            cast.client.__class__.objects.select_for_update().get(pk=cast.client.pk)
            handled.append(one.key)

        kind, reached = DueKind("crm.test", "Test", wants_record), threading.Event()
        with transaction.atomic():
            due(kind, key="a", at=NOW)
        with transaction.atomic():
            cast.client.__class__.objects.select_for_update().get(pk=cast.client.pk)
            thread = in_thread(lambda: sweep(kinds=[kind]))
            assert reached.wait(10)
            due(kind, key="a", at=timezone.now() - MINUTE)  # waits until the sweeper has given way
        thread.join()
        assert row("a").attempts == 0 or handled == ["a"]
        with time_machine.travel(timezone.now() + MINUTE):
            sweep(kinds=[kind])
        assert handled == ["a"] and row("a").state == "done"

"""Every limit of the daily work on clients: just below, exactly there, just above."""

import datetime as dt

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from clients import books, panels, profile, timeline
from clients.calls import CallDetails, log_call
from clients.choices import CallOutcome, TimelineKind
from clients.contacts import reveal
from clients.followups import add_task, complete_task, snooze_task
from clients.forms import CallForm, NoteForm, ProfileForm, RevealForm
from clients.models import Call, Client, Note, Task, TimelineEntry
from clients.notes import add_note, edit_note
from clients.record import timeline_page
from crm.errors import DomainError
from crm.models import AccessEvent
from tests.brand_policies import set_policies
from tests.cast import make_client
from tests.monitoring.factories import look

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
SECOND, MINUTE, DAY = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(days=1)


def page(answer, status=200):
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("seconds", "is_kept"), [(-1, False), (0, True), (1, True), (86_399, True), (86_400, True), (86_401, False)]
)
def test_a_call_lasts_from_nothing_to_a_day(cast, seconds, is_kept):
    whose = {"client_id": cast.client.pk, "actor": cast.agent}
    if is_kept:
        details = CallDetails(CallOutcome.REACHED, duration_seconds=seconds)
        assert log_call(**whose, details=details).duration_seconds == seconds
    else:
        with pytest.raises(DomainError, match="at most 24 hours"):
            log_call(**whose, details=CallDetails(CallOutcome.REACHED, seconds, started_at=NOW - DAY))
    assert Call.objects.count() == is_kept


@pytest.mark.parametrize(
    ("ahead", "is_kept"), [(5 * MINUTE - SECOND, True), (5 * MINUTE, True), (5 * MINUTE + SECOND, False)]
)
@time_machine.travel(NOW, tick=False)
def test_a_callers_clock_may_be_five_minutes_ahead(cast, ahead, is_kept):
    call = {
        "client_id": cast.client.pk,
        "actor": cast.agent,
        "details": CallDetails(CallOutcome.REACHED, started_at=NOW + ahead),
    }
    if is_kept:
        log_call(**call)
    else:
        with pytest.raises(DomainError, match="in the future"):
            log_call(**call)
    assert Call.objects.count() == is_kept


@time_machine.travel(NOW, tick=False)
def test_a_call_without_a_start_ended_now(cast):
    call = log_call(
        client_id=cast.client.pk, actor=cast.agent, details=CallDetails(CallOutcome.REACHED, duration_seconds=90)
    )
    assert call.started_at == NOW - dt.timedelta(seconds=90)


def test_the_database_refuses_a_call_of_more_than_a_day(cast):
    fields = {"client": cast.client, "agent": cast.agent, "outcome": "reached", "started_at": NOW}
    Call.objects.create(**fields, duration_seconds=86_400)
    with pytest.raises(IntegrityError, match="call_lasts_a_day_at_most"), transaction.atomic():
        Call.objects.create(**fields, duration_seconds=86_401)


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("0", 0),
        ("999", 59_940),
        ("1000", None),
        ("0:59", 59),
        ("999:59", 59_999),
        ("24:00:00", 86_400),
        ("1:2:3:4", None),
        ("4:", None),
        (":30", None),
        ("-4", None),
        ("²", None),
        ("4.5", None),
        (" 4:30 ", 270),
    ],
)
def test_how_a_duration_may_be_written(typed, seconds):
    form = CallForm({"outcome": "reached", "direction": "outbound", "duration": typed})
    assert form.is_valid() is (seconds is not None)
    if seconds is not None:
        assert form.cleaned_data["duration"] == seconds


# ── follow-ups ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("due", "is_kept"),
    [
        (NOW - DAY - SECOND, False),
        (NOW - DAY, True),
        (NOW, True),
        (NOW + 1098 * DAY, True),
        (NOW + 1098 * DAY + SECOND, False),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_a_follow_up_is_due_from_yesterday_to_three_years(cast, due, is_kept):
    if is_kept:
        add_task(client_id=cast.client.pk, actor=cast.agent, title="Call", due_at=due)
    else:
        with pytest.raises(DomainError, match=r"in the future|three years"):
            add_task(client_id=cast.client.pk, actor=cast.agent, title="Call", due_at=due)
    assert Task.objects.count() == is_kept


@pytest.mark.parametrize(
    ("until", "is_possible"),
    [(NOW - SECOND, False), (NOW, False), (NOW + SECOND, True), (NOW + 1098 * DAY, True), (NOW + 1099 * DAY, False)],
)
@time_machine.travel(NOW, tick=False)
def test_a_follow_up_is_put_off_into_the_future(cast, until, is_possible):
    task = add_task(client_id=cast.client.pk, actor=cast.agent, title="Call", due_at=NOW)
    if is_possible:
        snooze_task(task_id=task.pk, actor=cast.agent, until=until)
    else:
        with pytest.raises(DomainError):
            snooze_task(task_id=task.pk, actor=cast.agent, until=until)
    task.refresh_from_db()
    assert (task.due_at, task.times_snoozed) == ((until, 1) if is_possible else (NOW, 0))


@pytest.mark.parametrize(("before", "after"), [(32_766, 32_767), (32_767, 32_767)])
def test_putting_off_is_counted_as_far_as_it_goes(cast, before, after):
    due = timezone.now() + DAY
    task = add_task(client_id=cast.client.pk, actor=cast.agent, title="Call", due_at=due)
    Task.objects.filter(pk=task.pk).update(times_snoozed=before)
    assert snooze_task(task_id=task.pk, actor=cast.agent, until=due).times_snoozed == after


@pytest.mark.parametrize(("length", "kept"), [(160, 160), (161, 160)])
def test_a_title_is_cut_at_160_letters(cast, length, kept):
    task = add_task(client_id=cast.client.pk, actor=cast.agent, title="w" * length, due_at=timezone.now() + DAY)
    assert len(task.title) == kept


@pytest.mark.parametrize(("by", "is_overdue"), [(-SECOND, True), (dt.timedelta(0), False), (SECOND, False)])
def test_a_task_is_overdue_after_its_time(cast, by, is_overdue):
    task = Task(client=cast.client, assignee=cast.agent, title="Call", due_at=NOW + by)
    assert task.is_overdue(NOW) is is_overdue
    task.done_at = NOW
    assert not task.is_overdue(NOW)


@time_machine.travel(NOW, tick=False)
def test_my_day_parts_at_now_at_midnight_and_two_weeks(cast, browse):
    cast.agent.time_zone = "UTC"
    cast.agent.save()
    tonight = NOW.replace(hour=23, minute=59, second=59)
    times = {
        "overdue": NOW - SECOND,
        "from now": NOW,
        "until midnight": tonight,
        "tomorrow": tonight + SECOND,
        "last day": tonight + 14 * DAY,
        "too far": tonight + 14 * DAY + SECOND,
    }
    for title, due in times.items():
        Task.objects.create(client=cast.client, assignee=cast.agent, title=title, due_at=due)
    context = browse(cast.agent).get("/my-day/").context
    shown = {name: [task.title for task in context[name]] for name in ("overdue", "today", "later")}
    assert shown == {"overdue": ["overdue"], "today": ["from now", "until midnight"], "later": ["tomorrow", "last day"]}


@pytest.mark.parametrize(("count", "is_cut"), [(99, False), (100, False), (101, True)])
def test_my_day_says_when_there_is_more(cast, browse, count, is_cut):
    due = timezone.now() + dt.timedelta(hours=1)
    Task.objects.bulk_create(
        Task(client=cast.client, assignee=cast.agent, title=f"t{n}", due_at=due) for n in range(count)
    )
    assert browse(cast.agent).get("/my-day/").context["is_cut"] is is_cut


@time_machine.travel(NOW, tick=False)
def test_what_was_done_today_is_on_my_day(cast, browse):
    cast.agent.time_zone = "UTC"
    cast.agent.save()
    midnight = NOW.replace(hour=0)
    for title, done_at in (("yesterday", midnight - SECOND), ("at midnight", midnight), ("later", NOW)):
        Task.objects.create(
            client=cast.client, assignee=cast.agent, title=title, due_at=NOW, done_at=done_at, done_by=cast.agent
        )
    assert [task.title for task in browse(cast.agent).get("/my-day/").context["done"]] == ["later", "at midnight"]


@pytest.mark.parametrize(("count", "shown"), [(0, None), (1, 1), (99, 99), (100, 100), (101, 100)])
def test_the_menu_counts_up_to_a_hundred(cast, count, shown):
    Task.objects.bulk_create(
        Task(client=cast.client, assignee=cast.agent, title="t", due_at=NOW - DAY) for _number in range(count)
    )
    Task.objects.create(client=cast.client, assignee=cast.desk_head, title="not mine", due_at=NOW - DAY)
    Task.objects.create(client=cast.client, assignee=cast.agent, title="later", due_at=timezone.now() + DAY)
    assert panels.due_tasks(cast.agent) == shown


def test_the_tile_shows_six_of_ones_own_soonest_first(cast):
    assert panels.tasks_tile(cast.agent) is None
    for days in (7, 6, 5, 4, 3, 2, 1):
        Task.objects.create(client=cast.client, assignee=cast.agent, title=f"in {days}", due_at=NOW + days * DAY)
    first = Task.objects.create(client=cast.client, assignee=cast.agent, title="done", due_at=NOW)
    complete_task(task_id=first.pk, actor=cast.agent)
    shown = panels.tasks_tile(cast.agent)
    assert shown is not None and [task.title for task in shown["tasks"]] == [f"in {n}" for n in range(1, 7)]


# ── notes, contact, particulars ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("length", "is_kept"), [(9_999, True), (10_000, True), (10_001, False)])
def test_a_note_holds_ten_thousand_letters(cast, length, is_kept):
    assert NoteForm({"body": "w" * length}).is_valid() is is_kept
    note = add_note(client_id=cast.client.pk, actor=cast.agent, body="first")
    if is_kept:
        edit_note(note_id=note.pk, actor=cast.agent, body="w" * length)
    else:
        with pytest.raises(DomainError, match="10000"):
            edit_note(note_id=note.pk, actor=cast.agent, body="w" * length)
    assert Note.objects.get().version == (2 if is_kept else 1)


@pytest.mark.parametrize("body", ["", " \n "])
def test_an_edit_to_nothing_is_refused(cast, body):
    note = add_note(client_id=cast.client.pk, actor=cast.agent, body="first")
    with pytest.raises(DomainError, match="Enter a note"):
        edit_note(note_id=note.pk, actor=cast.agent, body=body)
    assert Note.objects.get().body == "first"


@pytest.mark.parametrize(
    ("reason", "is_enough"), [("", False), ("call", False), ("  call  ", False), ("calls", True), (" calls ", True)]
)
def test_a_reason_to_reveal_has_five_letters(cast, reason, is_enough):
    set_policies(cast.client.brand, reveal_needs_reason="always")
    assert RevealForm({"reason": reason}).is_valid() is is_enough
    if is_enough:
        reveal(client=cast.client, actor=cast.agent, reason=reason)
    else:
        with pytest.raises(DomainError, match="Enter a reason"):
            reveal(client=cast.client, actor=cast.agent, reason=reason)
    assert AccessEvent.objects.filter(kind="reveal").count() == is_enough


def born(day: dt.date) -> bool:
    fields = {"first_name": "C", "last_name": "W", "language": "de", "date_of_birth": day}
    return ProfileForm(fields, instance=Client()).is_valid()


@pytest.mark.parametrize(
    "today", [dt.date(2026, 11, 23), dt.date(2028, 2, 29), dt.date(2027, 3, 1), dt.date(2025, 1, 1)]
)
def test_a_client_is_of_age_on_the_18th_birthday(today):
    """Whatever leap years lie between: days divided by 365.25 refused most people on the day itself."""
    with time_machine.travel(dt.datetime.combine(today, dt.time(12), tzinfo=dt.UTC), tick=False):
        birthday = today.replace(year=today.year - 18, day=min(today.day, 28))
        assert born(birthday) and born(birthday - DAY)
        assert not born(birthday + DAY)


@pytest.mark.parametrize(
    ("day", "is_possible"),
    [
        (dt.date(2008, 11, 24), False),
        (dt.date(2008, 11, 23), True),
        (dt.date(1906, 11, 23), True),
        (dt.date(1905, 11, 24), True),
        (dt.date(1905, 11, 23), False),
        (dt.date(2026, 11, 24), False),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_a_client_is_between_18_and_120_years_old(day, is_possible):
    assert born(day) is is_possible


@pytest.mark.parametrize(
    ("zone", "is_known"), [("", True), ("Europe/Berlin", True), ("Berlin", False), ("../etc", False)]
)
def test_a_time_zone_is_one_that_exists(zone, is_known):
    assert ProfileForm({"language": "de", "time_zone": zone}, instance=Client()).is_valid() is is_known


def test_two_brands_may_share_an_address(cast):
    make_client(brand=cast.other_brand, book=cast.pool, email="same@example.com", login=False)
    profile.change_profile(client_id=cast.client.pk, actor=None, changes={"email": " SAME@example.com "})
    assert Client.objects.get(pk=cast.client.pk).email == "same@example.com"


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("rows", "has_older"), [(39, False), (40, False), (41, True)])
def test_a_page_of_the_timeline_holds_forty(cast, rows, has_older):
    for number in range(rows):
        timeline.add_entry(client_id=cast.client.pk, kind=TimelineKind.NOTE, title=f"n{number}", at=NOW)
    timeline.add_entry(client_id=cast.other_client.pk, kind=TimelineKind.NOTE, title="of another", at=NOW)
    found = timeline_page.read_page(cast.client, cast.agent)
    assert (len(found.entries), bool(found.older)) == (min(rows, 40), has_older)


@pytest.mark.parametrize(("rows", "has_older"), [(49, False), (50, False), (51, True)])
def test_a_page_of_looks_holds_fifty(cast, browse, rows, has_older):
    for _number in range(rows):
        look(cast.agent, NOW, client=cast.client.pk)
    look(cast.agent, NOW, client=cast.other_client.pk)
    address = f"/clients/{cast.client.pk}/tab/looks/"
    browser = browse(cast.desk_head)
    text = page(browser.get(address, headers={"HX-Request": "true", "HX-Request-Type": "partial"}))
    assert ("older=" in text) is has_older
    assert page(browser.get(address, {"older": "forged"}))


@pytest.mark.parametrize(("length", "kept"), [(200, 200), (201, 200)])
def test_a_timeline_title_is_cut_at_200_letters(cast, length, kept):
    timeline.add_entry(client_id=cast.client.pk, kind=TimelineKind.NOTE, title="w" * length)
    assert len(TimelineEntry.objects.get().title) == kept


@pytest.mark.parametrize(("most", "is_refused"), [(1, True), (2, False), (3, False)])
def test_a_move_has_its_most_at_once(cast, monkeypatch, most, is_refused):
    monkeypatch.setattr(books, "MOST_AT_ONCE", most)
    ids = [cast.client.pk, cast.client.pk, cast.other_client.pk]  # one of them twice
    if is_refused:
        with pytest.raises(DomainError, match="at most 1"):
            books.move_clients(client_ids=ids, to_book_id=cast.pool.pk)
    else:
        assert len(books.move_clients(client_ids=ids, to_book_id=cast.pool.pk)) == 2


@pytest.mark.parametrize(
    ("query", "is_searched"), [("we", False), ("web", True), ("7", True), (" w ", False), ("", False)]
)
def test_the_palette_searches_from_three_letters(cast, query, is_searched):
    list(panels.find_clients(cast.agent, query, 5))
    assert AccessEvent.objects.filter(kind="search", target="palette").exists() is is_searched


@pytest.mark.parametrize(("people", "shown"), [(2, 2), (3, 3), (4, 3)])
def test_the_palette_shows_up_to_its_limit(cast, people, shown):
    for number in range(people):
        make_client(brand=cast.brand, book=cast.book, email=f"z{number}@example.com", login=False, last_name="Zander")
    assert len(list(panels.find_clients(cast.agent, "zander", 3))) == shown
    assert AccessEvent.objects.get(kind="search").rows == shown
    assert list(panels.find_clients(cast.other_agent, "zander", 3)) == []


@pytest.mark.parametrize(("count", "shown"), [(4, 4), (5, 5), (6, 5)])
def test_five_notes_and_five_tasks_are_on_the_page(cast, browse, count, shown):
    for number in range(count):
        add_note(client_id=cast.client.pk, actor=cast.agent, body=f"note {number}", is_pinned=True)
        Task.objects.create(client=cast.client, assignee=cast.agent, title=f"t{number}", due_at=NOW)
    Task.objects.create(client=cast.other_client, assignee=cast.agent, title="of another", due_at=NOW)
    context = browse(cast.agent).get(f"/clients/{cast.client.pk}/").context
    assert len(context["tasks"]) == shown and all(
        task.client_id == cast.client.pk for task, _is_read_only in context["tasks"]
    )


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("fields", "query", "is_shown"),
    [
        ({"score": 49}, "score_from=50", False),
        ({"score": 50}, "score_from=50", True),
        ({"score": 51}, "score_from=50", True),
        ({"kyc_level": 1}, "kyc_level=1", True),
        ({"kyc_level": 2}, "kyc_level=1", False),
        ({"restrictions": ["frozen"]}, "is_restricted=1", True),
        ({"restrictions": ["frozen"]}, "is_restricted=0", False),
        ({"restrictions": []}, "is_restricted=0", True),
        ({"first_deposit_at": NOW}, "has_paid_in=1", True),
        ({"first_deposit_at": NOW}, "has_paid_in=0", False),
        (
            {"last_contact_at": dt.datetime(2026, 9, 9, 21, 59, 59, tzinfo=dt.UTC)},
            "not_contacted_since=2026-09-10",
            True,
        ),
        ({"last_contact_at": dt.datetime(2026, 9, 9, 22, 0, tzinfo=dt.UTC)}, "not_contacted_since=2026-09-10", False),
        ({"last_trade_at": dt.datetime(2026, 9, 9, 21, 59, 59, tzinfo=dt.UTC)}, "no_trade_since=2026-09-10", True),
        ({"last_trade_at": dt.datetime(2026, 9, 9, 22, 0, tzinfo=dt.UTC)}, "no_trade_since=2026-09-10", False),
        ({"last_trade_at": None}, "no_trade_since=2026-09-10", False),
    ],
)
def test_filters_at_their_limits(cast, browse, fields, query, is_shown):
    """Days begin where the reader is: in Berlin at 22:00 UTC in summer."""
    cast.agent.time_zone = "Europe/Berlin"
    cast.agent.save()
    Client.objects.filter(pk=cast.client.pk).update(**fields)
    assert ("Clara Weber" in page(browse(cast.agent).get(f"/clients/?{query}"))) is is_shown


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("clara weber clara weber clara", True),
        ("clara weber clara weber clara nobody", True),  # the sixth word is not read
        ("clara weber clara weber nobody", False),
        ("we", False),
        ("web", True),
        ("c weber", True),  # a single letter says nothing
    ],
)
def test_a_search_reads_five_words_of_two_letters(cast, browse, words, is_found):
    assert ("Clara Weber" in page(browse(cast.agent).get("/clients/", {"q": words}))) is is_found

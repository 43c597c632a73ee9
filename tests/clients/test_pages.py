import datetime as dt

import pytest
from django.utils import timezone

from clients import timeline
from clients.choices import CallOutcome, TimelineKind
from clients.followups import add_task
from clients.models import Call, Client, Note, Task, TimelineEntry
from clients.notes import add_note, edit_note
from crm.models import AccessEvent, Book
from tests.brand_policies import set_policies
from tests.cast import make_client

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def html(answer, status=200):
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


def address(client, rest=""):
    return f"/clients/{client.pk}/{rest}"


class TestClientPage:
    def test_it_says_who_this_is_and_notes_the_look(self, cast, browse):
        page = html(browse(cast.agent).get(address(cast.client)))
        for text in ("Clara Weber", "Germany", "Registered", "Meridian Markets", "Log call"):
            assert text in page
        row = AccessEvent.objects.get(kind="view")
        assert (row.user, row.client_id, row.in_book, row.target) == (
            cast.agent,
            cast.client.pk,
            True,
            "clients.client",
        )

    def test_a_look_from_outside_the_book_is_marked(self, cast, browse):
        assert "Not your book" in html(browse(cast.desk_head).get(address(cast.client)))
        assert AccessEvent.objects.get(kind="view").in_book is False

    def test_who_sells_sees_the_contact_masked_and_who_does_not_sees_it(self, cast, browse):
        assert "+4915112345678" not in html(browse(cast.agent).get(address(cast.client)))
        assert "clara@example.com" not in html(browse(cast.agent).get(address(cast.client)))
        assert "+4915112345678" in html(browse(cast.kyc_officer).get(address(cast.client)))

    @pytest.mark.parametrize(
        "rest",
        [
            "",
            "tab/timeline/",
            "tab/mail/",
            "tab/looks/",
            "call/",
            "contact/",
            "task/",
            "mail/",
            "edit/",
            "move/",
            "close/",
        ],
    )
    def test_another_desks_agent_finds_nothing(self, cast, browse, rest):
        answer = browse(cast.other_agent).get(address(cast.client, rest))
        assert answer.status_code in (403, 404)
        if rest in ("", "tab/timeline/", "tab/mail/", "call/", "contact/", "task/", "mail/", "edit/"):
            assert answer.status_code == 404
        assert not AccessEvent.objects.filter(kind="view").exists()

    def test_a_stranger_signs_in_first_and_a_client_finds_nothing(self, cast, browse):
        assert "login" in browse(None).get(address(cast.client))["Location"]
        answer = browse(cast.client_user).get(address(cast.client))
        assert answer.status_code in (302, 404) and not answer.content

    def test_an_unknown_tab_is_missing_and_the_old_form_of_the_address_leads_on(self, cast, browse):
        assert browse(cast.agent).get(address(cast.client, "tab/nothing/")).status_code == 404
        assert browse(cast.agent).get(address(cast.client, "?tab=mail"))["Location"] == address(
            cast.client, "tab/mail/"
        )

    def test_the_page_takes_a_bounded_number_of_queries(self, cast, browse, django_assert_max_num_queries):
        for n in range(30):
            add_note(client_id=cast.client.pk, actor=cast.agent, body=f"note {n}", is_pinned=n < 8)
            add_task(
                client_id=cast.client.pk, actor=cast.agent, title="x", due_at=timezone.now() + dt.timedelta(days=n + 1)
            )
        browser = browse(cast.agent)
        browser.get(address(cast.client))
        with django_assert_max_num_queries(32):
            browser.get(address(cast.client))


class TestTimeline:
    def test_pages_follow_each_other_without_gaps_or_repeats(self, cast, browse):
        start = timezone.now() - dt.timedelta(days=9)
        for n in range(95):  # many at the same instant
            timeline.add_entry(
                client_id=cast.client.pk,
                kind=TimelineKind.NOTE,
                title=f"entry {n:03}.",
                at=start + dt.timedelta(minutes=n // 10),
            )
        browser = browse(cast.agent)
        seen, page = [], html(browser.get(address(cast.client)))
        for _ in range(5):
            import re

            seen += re.findall(r"entry (\d{3})\.", page)
            older = re.search(r'hx-get="([^"]*older=[^"]+)"', page)
            if not older:
                break
            page = html(browser.get(older[1].replace("&amp;", "&"), headers=HTMX))
        assert seen == [f"{n:03}" for n in sorted(range(95), key=lambda n: (n // 10, n), reverse=True)]

    def test_one_kind_only(self, cast, browse):
        timeline.add_entry(client_id=cast.client.pk, kind=TimelineKind.NOTE, title="a note")
        timeline.add_entry(client_id=cast.client.pk, kind=TimelineKind.PAYMENT, title="a payment")
        page = html(browse(cast.agent).get(address(cast.client, "?kind=payment")))
        assert ">a payment<" in page and ">a note<" not in page

    def test_a_damaged_cursor_starts_anew(self, cast, browse):
        timeline.add_entry(client_id=cast.client.pk, kind=TimelineKind.NOTE, title="a note")
        assert "a note" in html(browse(cast.agent).get(address(cast.client, "tab/timeline/?older=forged")))

    def test_words_are_never_markup(self, cast, browse):
        add_note(client_id=cast.client.pk, actor=cast.agent, body="<script>alert(1)</script>", is_pinned=True)
        assert "<script>alert" not in html(browse(cast.agent).get(address(cast.client)))


class TestDialogs:
    def test_a_call_is_logged_with_a_follow_up(self, cast, browse):
        browser = browse(cast.agent)
        assert "Call with Clara Weber" in html(browser.get(address(cast.client, "call/"), headers=HTMX))
        due = (timezone.localtime() + dt.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
        answer = browser.post(
            address(cast.client, "call/"),
            {
                "outcome": "reached",
                "duration": "4:05",
                "direction": "outbound",
                "notes": "Wants MT5",
                "follow_up_at": due,
            },
            headers=HTMX,
        )
        assert answer.status_code == 204 and answer["HX-Redirect"] == address(cast.client)
        assert (Call.objects.get().duration_seconds, Call.objects.get().outcome) == (245, CallOutcome.REACHED)
        assert Task.objects.get().title == "Call back"
        assert "Call logged." in html(browser.get(address(cast.client)))

    @pytest.mark.parametrize(("typed", "seconds"), [("", 0), ("12", 720), ("4:30", 270), ("1:02:03", 3723)])
    def test_durations_as_people_write_them(self, cast, browse, typed, seconds):
        browse(cast.agent).post(
            address(cast.client, "call/"), {"outcome": "reached", "duration": typed, "direction": "outbound"}
        )
        assert Call.objects.get().duration_seconds == seconds

    def test_what_is_wrong_is_said_and_what_was_typed_stays(self, cast, browse):
        answer = browse(cast.agent).post(
            address(cast.client, "call/"),
            {"outcome": "reached", "duration": "long", "direction": "outbound", "notes": "Kept"},
            headers=HTMX,
        )
        page = html(answer, 422)
        assert "minutes and seconds" in page and "Kept" in page
        assert not Call.objects.exists()

    def test_without_javascript_a_dialog_is_a_page(self, cast, browse):
        page = html(browse(cast.agent).get(address(cast.client, "mail/")))
        assert "<html" in page and f'<a class="btn" href="{address(cast.client)}">Back</a>' in page
        assert "Back</a>" not in html(browse(cast.agent).get(address(cast.client, "mail/"), headers=HTMX))

    def test_a_mail_and_a_note_and_a_task(self, cast, browse):
        browser = browse(cast.agent)
        browser.post(
            address(cast.client, "mail/"),
            {"template": "clients.free_text", "subject": "Hello", "message": "You there?"},
        )
        browser.post(address(cast.client, "note/"), {"body": "Prefers mornings", "is_pinned": "on"})
        browser.post(address(cast.client, "task/"), {"title": "Call", "due_at": "2027-05-01T10:00"})
        page = html(browser.get(address(cast.client)))
        assert "You there?" in page and "Prefers mornings" in page and "Call" in page
        assert "Hello" in html(browser.get(address(cast.client, "tab/mail/")))

    def test_particulars_are_corrected(self, cast, browse):
        browser = browse(cast.agent)
        page = html(browser.get(address(cast.client, "edit/")))
        assert "clara@example.com" not in page and "+4915112345678" not in page
        form = {
            "first_name": "Clara",
            "last_name": "Weber",
            "country": "AT",
            "language": "de",
            "new_phone": "0664 1234567",
        }
        assert browser.post(address(cast.client, "edit/"), form).status_code == 302
        client = Client.objects.get(pk=cast.client.pk)
        assert (client.country, client.phone, client.email) == ("AT", "+436641234567", "clara@example.com")

    def test_a_child_is_no_client(self, cast, browse):
        form = {"first_name": "C", "last_name": "W", "country": "DE", "language": "de", "date_of_birth": "2020-01-01"}
        assert "between 18" in html(browse(cast.agent).post(address(cast.client, "edit/"), form), 422)

    def test_a_desk_head_moves_and_closes(self, cast, browse):
        book = Book.objects.create(brand=cast.brand, desk=cast.desk, name="Rita's book", owner=cast.retention)
        browser = browse(cast.desk_head)
        assert browser.post(address(cast.client, "move/"), {"book": book.pk}).status_code == 302
        assert Client.objects.get(pk=cast.client.pk).owner == cast.retention
        assert browser.post(address(cast.client, "close/"), {"reason": "Asked for it"}).status_code == 302
        assert Client.objects.get(pk=cast.client.pk).stage == "closed"
        assert browse(cast.agent).get(address(cast.client, "close/")).status_code == 403


class TestContact:
    def test_one_click_shows_it_for_a_minute(self, cast, browse):
        page = html(browse(cast.agent).post(address(cast.client, "contact/"), headers=HTMX))
        assert "+4915112345678" in page and "load delay:60s" in page
        assert AccessEvent.objects.get(kind="reveal").client_id == cast.client.pk

    def test_then_it_is_masked_again(self, cast, browse):
        answer = browse(cast.agent).get(address(cast.client, "contact/"), headers=HTMX)
        assert "+4915112345678" not in html(answer) and answer["Cache-Control"] == "no-store"

    def test_a_reason_is_asked_for_where_the_brand_wants_one(self, cast, browse):
        set_policies(cast.brand, reveal_needs_reason="always")
        browser = browse(cast.agent)
        page = html(browser.post(address(cast.client, "contact/"), {"reason": "x"}, headers=HTMX), 422)
        assert "is-invalid" in page and "+4915112345678" not in page
        assert "+4915112345678" in html(
            browser.post(address(cast.client, "contact/"), {"reason": "Call as agreed"}, headers=HTMX)
        )

    def test_who_may_not_reveal_gets_403(self, cast, browse):
        assert browse(cast.auditor).post(address(cast.client, "contact/"), headers=HTMX).status_code == 403
        assert not AccessEvent.objects.filter(kind="reveal").exists()


class TestNotesAndTasks:
    def test_a_note_is_changed_by_its_author_and_every_version_read(self, cast, browse):
        note = add_note(client_id=cast.client.pk, actor=cast.agent, body="first")
        assert browse(cast.agent).post(f"/notes/{note.pk}/edit/", {"body": "second"}).status_code == 302
        assert browse(cast.desk_head).post(f"/notes/{note.pk}/edit/", {"body": "third"}).status_code == 403
        page = html(browse(cast.desk_head).get(f"/notes/{note.pk}/history/"))
        assert "first" in page and "second" in page
        for path in ("edit", "history", "pin"):
            assert browse(cast.other_agent).post(f"/notes/{note.pk}/{path}/").status_code == 404
        assert Note.objects.get().body == "second"

    def test_a_note_is_pinned_and_let_go(self, cast, browse):
        note = add_note(client_id=cast.client.pk, actor=cast.agent, body="first")
        browse(cast.agent).post(f"/notes/{note.pk}/pin/", {"pin": "1"})
        assert Note.objects.get().is_pinned
        assert browse(cast.agent).get(f"/notes/{note.pk}/pin/").status_code == 405

    def test_a_task_is_ticked_undone_and_put_off_in_place(self, cast, browse):
        task = add_task(
            client_id=cast.client.pk, actor=cast.agent, title="Call", due_at=timezone.now() + dt.timedelta(hours=1)
        )
        browser = browse(cast.agent)
        assert "Undo" in html(browser.post(f"/tasks/{task.pk}/", {"action": "complete"}, headers=HTMX))
        assert "Undo" not in html(browser.post(f"/tasks/{task.pk}/", {"action": "reopen"}, headers=HTMX))
        assert "postponed once" in html(browser.post(f"/tasks/{task.pk}/", {"action": "day"}, headers=HTMX))
        assert browser.post(f"/tasks/{task.pk}/", {"action": "explode"}).status_code == 404
        assert browse(cast.other_agent).post(f"/tasks/{task.pk}/", {"action": "complete"}).status_code == 404

    def test_a_refused_change_of_a_task_is_said_in_its_row(self, cast, browse):
        task = add_task(
            client_id=cast.client.pk, actor=cast.agent, title="Call", due_at=timezone.now() + dt.timedelta(hours=1)
        )
        browser = browse(cast.agent)
        browser.post(f"/tasks/{task.pk}/", {"action": "complete"}, headers=HTMX)
        row = html(browser.post(f"/tasks/{task.pk}/", {"action": "complete"}, headers=HTMX), 422)
        assert "This task is already done." in row and "Undo" in row
        back = {"action": "week", "back": address(cast.client)}
        page = html(browser.post(f"/tasks/{task.pk}/", back, follow=True))
        assert "This task is already done." in page and "Postponed: Call" not in page

    def test_a_task_of_a_colleague_is_refused_in_its_row_and_on_the_page(self, cast, browse):
        task = add_task(
            client_id=cast.client.pk, actor=cast.desk_head, title="Call", due_at=timezone.now() + dt.timedelta(hours=1)
        )
        browser = browse(cast.agent)
        change = {"action": "complete", "back": address(cast.client)}
        assert "This task is " in html(browser.post(f"/tasks/{task.pk}/", change, headers=HTMX), 422)
        assert "This task is " in html(browser.post(f"/tasks/{task.pk}/", change, follow=True))
        assert Task.objects.get().done_at is None

    def test_the_way_back_leads_nowhere_else(self, cast, browse):
        task = add_task(
            client_id=cast.client.pk, actor=cast.agent, title="Call", due_at=timezone.now() + dt.timedelta(hours=1)
        )
        answer = browse(cast.agent).post(f"/tasks/{task.pk}/", {"action": "complete", "back": "//evil.example/"})
        assert answer["Location"] == "/my-day/"

    def test_my_day_puts_the_overdue_first(self, cast, browse):
        now = timezone.now()
        for title, due in (("late", -1), ("soon", 0.001), ("next week", 5)):
            Task.objects.create(
                client=cast.client, assignee=cast.agent, title=title, due_at=now + dt.timedelta(days=due)
            )
        Task.objects.create(client=cast.client, assignee=cast.desk_head, title="not mine", due_at=now)
        page = html(browse(cast.agent).get("/my-day/"))
        assert page.index("Overdue") < page.index("late") < page.index("next week")
        assert "not mine" not in page


class TestWhoLooked:
    def test_a_desk_head_reads_who_saw_a_client(self, cast, browse):
        browse(cast.agent).get(address(cast.client))
        browse(cast.agent).post(address(cast.client, "contact/"), headers=HTMX)
        page = html(browse(cast.desk_head).get(address(cast.client, "tab/looks/")))
        assert page.count(str(cast.agent)) >= 2 and "Contact revealed" in page
        assert (
            "Viewed"
            not in html(browse(cast.desk_head).get(address(cast.client, "tab/looks/?kind=reveal"))).split("<tbody>")[1]
        )

    def test_agents_do_not(self, cast, browse):
        assert browse(cast.agent).get(address(cast.client, "tab/looks/")).status_code == 404


class TestList:
    def test_only_clients_in_reach_and_no_leads(self, cast, browse):
        make_client(
            brand=cast.brand, book=cast.book, email="lead@example.com", login=False, first_name="Lara", last_name="Lead"
        )
        page = html(browse(cast.agent).get("/clients/"))
        assert "Clara Weber" in page and "Óscar" not in page and "Lara Lead" not in page
        assert "Lara Lead" in html(browse(cast.agent).get("/clients/?stage=lead"))

    @pytest.mark.parametrize(
        "q", ["weber", "CLARA", "clara weber", "clara@exam", "0151 1234 5678", "+49 151 12345678", "#{pk}", "{pk}"]
    )
    def test_a_person_is_found_by_what_people_type_and_the_search_is_noted(self, cast, browse, q):
        q = q.format(pk=cast.client.pk)
        page = html(browse(cast.kyc_officer).get("/clients/", {"q": q}))
        assert "Clara Weber" in page and "Óscar" not in page
        row = AccessEvent.objects.get(kind="search")
        assert (row.target, row.rows, row.reason) == ("table:clients", 1, q)

    def test_short_names_are_found_as_whole_words(self, cast, browse):
        make_client(brand=cast.brand, book=cast.book, email="x@example.com", first_name="Li", last_name="Wei")
        make_client(brand=cast.brand, book=cast.book, email="y@example.com", first_name="Lisa", last_name="Ng")
        page = html(browse(cast.agent).get("/clients/?q=li"))
        assert "Li Wei" in page and "Lisa" not in page
        assert "Lisa Ng" in html(browse(cast.agent).get("/clients/?q=ng"))

    def test_filters(self, cast, browse):
        Client.objects.filter(pk=cast.client.pk).first()
        for query, found in (
            ("country=DE", True),
            ("country=ES", False),
            ("stage=registered", True),
            ("stage=active", False),
            (f"owner={cast.agent.pk}", True),
            (f"book={cast.book.pk}", True),
            (f"desk={cast.desk.pk}", True),
            ("has_paid_in=1", False),
            ("has_paid_in=0", True),
            ("is_restricted=1", False),
            ("kyc_level=0", True),
            ("score_from=50", False),
            ("risk_rating=high", False),
            ("not_contacted_since=2026-01-01", True),
            ("no_trade_since=2026-01-01", False),
        ):
            page = html(browse(cast.agent).get(f"/clients/?{query}"))
            assert ("Clara Weber" in page) is found, query

    def test_the_number_of_queries_does_not_grow_with_the_rows(self, cast, browse, django_assert_max_num_queries):
        for n in range(60):
            make_client(brand=cast.brand, book=cast.book, email=f"c{n}@example.com", first_name="N", last_name=str(n))
        browser = browse(cast.agent)
        browser.get("/clients/")
        with django_assert_max_num_queries(22):
            browser.get("/clients/")

    def test_a_desk_head_moves_the_selected(self, cast, browse):
        book = Book.objects.create(brand=cast.brand, desk=cast.desk, name="Rita's book", owner=cast.retention)
        answer = browse(cast.desk_head).post(
            "/clients/move/", {"ids": [cast.client.pk, cast.other_client.pk], "book": book.pk}
        )
        assert answer.status_code == 302
        assert Client.objects.get(pk=cast.client.pk).book == book
        assert Client.objects.get(pk=cast.other_client.pk).book == cast.other_book
        assert browse(cast.agent).post("/clients/move/", {"ids": [cast.client.pk], "book": book.pk}).status_code == 403

    def test_only_who_may_export_exports_and_it_is_noted(self, cast, browse):
        assert browse(cast.agent).get("/clients/?export=csv").status_code == 403
        answer = browse(cast.desk_head).get("/clients/?export=csv")
        text = b"".join(answer.streaming_content).decode()
        assert "Clara Weber" in text and "+4915112345678" not in text
        assert AccessEvent.objects.get(kind="export").user == cast.desk_head

    def test_the_palette_finds_people(self, cast, browse):
        assert "Clara Weber" in html(browse(cast.agent).get("/palette/?q=weber"))
        assert "Óscar" not in html(browse(cast.agent).get("/palette/?q=nunez"))


def test_an_edited_note_shows_that_it_was(cast, browse):
    note = add_note(client_id=cast.client.pk, actor=cast.agent, body="first")
    edit_note(note_id=note.pk, actor=cast.agent, body="second")
    assert "edited" in html(browse(cast.agent).get(address(cast.client)))
    assert TimelineEntry.objects.filter(kind="note").count() == 1

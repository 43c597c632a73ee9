"""Whom each person reaches, and what a second brand, desk or role does not see."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils import timezone

from clients import queries, timeline
from clients.choices import TimelineKind
from clients.models import Client, Task
from clients.notes import add_note
from clients.record import timeline_page
from clients.record.local_time import local_time
from crm.choices import Role
from crm.errors import NotAllowed
from crm.models import AccessEvent, Book
from tests.cast import make_client, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def theirs(cast):
    """A client of the other brand, in a book of its own."""
    book = Book.objects.create(brand=cast.other_brand, name="Southern book")
    return make_client(brand=cast.other_brand, book=book, email="sue@example.com", login=False, last_name="Southern")


def seen_by(user) -> set[str]:
    return set(queries.clients_visible_to(user).values_list("email", flat=True))


def test_whom_each_reaches(cast, theirs):
    clara, oscar = "clara@example.com", "oscar@example.com"
    assert seen_by(cast.agent) == seen_by(cast.desk_head) == seen_by(cast.client_user) == {clara}
    assert seen_by(cast.other_agent) == seen_by(cast.other_client_user) == {oscar}
    assert seen_by(cast.finance) == seen_by(cast.mlro) == seen_by(cast.auditor) == {clara, oscar}
    assert seen_by(None) == seen_by(AnonymousUser()) == set()
    their_finance = make_staff("f@southern.example", Role.FINANCE, brand=cast.other_brand)
    assert seen_by(their_finance) == {"sue@example.com"}


def test_a_search_over_many_books_finds_whom_the_list_shows(cast, theirs, browse, monkeypatch):
    monkeypatch.setattr(queries, "BOOKS_BESIDE_SEARCH_MAX", 0)
    for user in (cast.agent, cast.other_agent, cast.finance):
        searched = queries.clients_visible_to(user, is_searched=True).values_list("email", flat=True)
        assert set(searched) == seen_by(user)
    page = browse(cast.auditor).get("/clients/?q=example.com&sort=-last_contact_at").content.decode()
    assert cast.client.last_name in page and cast.other_client.last_name in page and "Southern" not in page


def test_the_answer_for_one_client_is_the_lists(cast, theirs):
    people = [None, AnonymousUser(), cast.client_user, cast.other_client_user, *cast.staff().values()]
    for user in people:
        visible = queries.clients_visible_to(user)
        for client in (cast.client, cast.other_client, theirs):
            assert queries.reaches(user, client) is visible.filter(pk=client.pk).exists(), (user, client)


def test_not_visible_is_not_found_and_not_allowed_is_forbidden(cast):
    assert queries.get_client(cast.agent, cast.client.pk) == cast.client
    with pytest.raises(Http404):
        queries.get_client(cast.agent, cast.other_client.pk)
    with pytest.raises(NotAllowed):
        queries.get_client(cast.auditor, cast.client.pk, permission="clients.log_call")
    assert queries.get_client(cast.client_user, cast.client.pk) == cast.client
    with pytest.raises(Http404):
        queries.get_client(cast.client_user, cast.other_client.pk)


def test_only_the_owner_has_the_client_in_their_own_book(cast):
    own = [user for user in cast.staff().values() if queries.is_in_own_book(user, cast.client)]
    assert own == [cast.agent]


@pytest.mark.parametrize(
    ("who", "is_read"), [("kyc_officer", True), ("mlro", True), ("agent", False), ("finance", False)]
)
def test_an_entry_for_compliance_is_not_read_by_sales(cast, who, is_read):
    timeline.add_entry(
        client_id=cast.client.pk,
        kind=TimelineKind.COMPLIANCE,
        title="Possible match",
        needs="compliance.view_screening",
    )
    timeline.add_entry(client_id=cast.client.pk, kind=TimelineKind.NOTE, title="for everybody")
    found = timeline_page.read_page(cast.client, getattr(cast, who))
    assert [shown.entry.title for shown in found.entries] == ["for everybody", "Possible match"][: 1 + is_read]


def test_the_timeline_shows_what_each_may_do_and_open(cast):
    note = add_note(client_id=cast.client.pk, actor=cast.agent, body="mine")
    timeline.add_entry(
        client_id=cast.client.pk,
        kind=TimelineKind.CALL,
        title="missed",
        data={"outcome": "busy"},
        url="/reports/money/",
    )
    call, mine = timeline_page.read_page(cast.client, cast.agent).entries
    assert (mine.is_mine, mine.note_id, mine.is_edited) == (True, note.pk, False)
    assert (call.icon, call.tone, call.seconds, call.url) == ("phone-missed", "neutral", None, "")
    call, not_mine = timeline_page.read_page(cast.client, cast.finance).entries
    assert not not_mine.is_mine and call.url == "/reports/money/"


def test_a_key_is_told_once_per_client_and_renewed_in_place(cast):
    def tell(client, title: str, **fields) -> None:
        timeline.add_entry(client_id=client.pk, kind=TimelineKind.PAYMENT, title=title, dedupe_key="w:1", **fields)

    for title in ("first", "again"):
        tell(cast.client, title)
    tell(cast.other_client, "of another")
    tell(cast.client, "renewed", replaces=True)
    titles = {client: [entry.title for entry in client.timeline.all()] for client in (cast.client, cast.other_client)}
    assert titles == {cast.client: ["renewed"], cast.other_client: ["of another"]}


@pytest.mark.parametrize(
    ("zone", "is_known"), [("Europe/Berlin", True), ("", False), ("Nowhere/City", False), ("../etc/passwd", False)]
)
def test_local_time_only_where_the_zone_is_known(zone, is_known):
    assert (local_time(Client(time_zone=zone)) is not None) is is_known


def test_a_tab_on_its_own_is_a_look_too(cast, browse):
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    browser = browse(cast.agent)
    assert browser.get(f"/clients/{cast.client.pk}/tab/mail/", headers=headers).status_code == 200
    row = AccessEvent.objects.get(kind="view")
    assert (row.client_id, row.target) == (cast.client.pk, "clients.client:mail")


def test_an_unknown_tab_in_the_old_address_is_missing(cast, browse):
    assert browse(cast.agent).get(f"/clients/{cast.client.pk}/?tab=nothing").status_code == 404
    assert browse(cast.agent).get(f"/clients/{cast.client.pk}/?tab=looks").status_code == 404


def test_follow_ups_go_to_people_near_the_client(cast, browse):
    make_staff("gone@meridian.example", Role.AGENT, brand=cast.brand, desk=cast.desk, is_active=False)
    form = browse(cast.desk_head).get(f"/clients/{cast.client.pk}/task/").context["form"]
    assert set(form.fields["assignee"].queryset) == {cast.agent, cast.retention}
    due = (timezone.localtime() + timezone.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    fields = {"title": "Call", "due_at": due, "assignee": cast.other_agent.pk}
    assert browse(cast.desk_head).post(f"/clients/{cast.client.pk}/task/", fields).status_code == 422
    assert not Task.objects.exists()
    browse(cast.desk_head).post(f"/clients/{cast.client.pk}/task/", {**fields, "assignee": cast.agent.pk})
    assert Task.objects.get().assignee == cast.agent


def test_a_desk_head_completes_a_task_but_not_a_colleague(cast):
    from clients.followups import complete_task

    task = Task.objects.create(client=cast.client, assignee=cast.agent, title="Call", due_at=timezone.now())
    with pytest.raises(NotAllowed, match="Alice Tester"):
        complete_task(task_id=task.pk, actor=cast.retention)
    assert complete_task(task_id=task.pk, actor=cast.desk_head).done_by == cast.desk_head

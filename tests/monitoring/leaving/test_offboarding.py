"""A leaver from the notice to the confirmed offboarding: stricter alerts, blocked exports, and checks that prove themselves."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone
from guardian.models import UserObjectPermission

from clients import followups
from clients.books import move_clients
from clients.models import AgentPhone, Task
from crm import due
from crm.accounts.sessions import open_sessions
from crm.choices import AccessKind
from crm.errors import DomainError, NotAllowed, WrongState
from crm.events import drain
from crm.models import AccessEvent, AuditEvent, Book, DueRow, Job, Notification, StaffEmployment, User
from crm.security import access_log, audit
from crm.staff.employment import StaffDates, set_dates
from crm.staff.people import switch_off
from monitoring import baselines
from monitoring.leaving.checks import results_of
from monitoring.leaving.offboarding import LAST_DAY, clear_check, confirm_offboarding
from monitoring.models import Baseline
from monitoring.reviewing.pack import report_of
from tests.brand_policies import set_policies
from tests.cast import make_client
from tests.monitoring.factories import make_alert

pytestmark = pytest.mark.django_db


def day(days: int) -> dt.date:
    return timezone.now().date() + dt.timedelta(days=days)


def leaves(cast, *, notice: int = 0, last: int = 30) -> StaffEmployment:
    dates = StaffDates(joined_on=day(-900), notice_on=day(notice), leaves_on=day(last))
    return set_dates(user_id=cast.agent.pk, actor=cast.administrator, dates=dates, reason="Resigned")


def test_who_sets_the_dates_and_which_fit(cast, browse):
    for other in (cast.desk_head, cast.agent, cast.mlro):
        with pytest.raises(NotAllowed):
            set_dates(user_id=cast.other_agent.pk, actor=other, dates=StaffDates(joined_on=day(0)))
    with pytest.raises(NotAllowed):
        set_dates(user_id=cast.administrator.pk, actor=cast.administrator, dates=StaffDates(joined_on=day(0)))
    wrong = (StaffDates(notice_on=day(0)), StaffDates(notice_on=day(2), leaves_on=day(1)))
    for dates in (*wrong, StaffDates(joined_on=day(2), leaves_on=day(1))):
        with pytest.raises(DomainError):
            set_dates(user_id=cast.agent.pk, actor=cast.administrator, dates=dates, reason="Resigned")
    with pytest.raises(DomainError, match="Enter a reason"):
        set_dates(user_id=cast.agent.pk, actor=cast.administrator, dates=StaffDates(leaves_on=day(9)))
    assert not StaffEmployment.objects.exists()
    page = reverse("staff_dates", args=[cast.agent.pk])
    browse(cast.administrator).post(page, {"notice_on": day(0), "leaves_on": day(30), "reason": "Resigned"})
    event = AuditEvent.objects.get(action="crm.staff_dates_changed")
    assert (event.actor, event.target_id) == (cast.administrator, str(cast.agent.pk))
    assert StaffEmployment.objects.get(pk=cast.agent.pk).leaves_on == day(30)
    shown = browse(cast.administrator).get(reverse("staff_member", args=[cast.agent.pk])).content.decode()
    assert reverse("monitoring_offboarding", args=[cast.agent.pk]) in shown


def test_exports_are_blocked_from_the_day_of_notice_by_policy(cast):
    leaves(cast, notice=1)
    access_log.note(user=cast.agent, kind=AccessKind.EXPORT, target="table:clients.csv")
    leaves(cast, notice=0)
    with pytest.raises(NotAllowed, match="blocked from the day of notice"):
        access_log.note(user=cast.agent, kind=AccessKind.EXPORT, target="table:clients.csv", rows=90)
    refused = AccessEvent.objects.get(user=cast.agent, kind=AccessKind.REFUSED)
    assert (refused.target, refused.rows, refused.reason) == ("export:table:clients.csv", 90, "notice")
    access_log.note(user=cast.agent, kind=AccessKind.REVEAL, client_id=cast.client.pk)
    set_policies(cast.brand, notice_blocks_exports=False)
    access_log.note(user=User.objects.get(pk=cast.agent.pk), kind=AccessKind.EXPORT, target="table:clients.csv")


def test_the_account_ends_with_the_last_day(cast, browse):
    browse(cast.agent)
    leaves(cast, notice=-20, last=0)
    drain()
    row = DueRow.objects.get(kind="monitoring.last_day", key=cast.agent.pk)
    assert row.at.date() == day(1)
    dates = StaffDates(notice_on=day(-20), leaves_on=day(-1))
    set_dates(user_id=cast.agent.pk, actor=cast.administrator, dates=dates, reason="A day earlier")
    drain()
    due.sweep(kinds=[LAST_DAY])
    cast.agent.refresh_from_db()
    assert not cast.agent.is_active and not open_sessions(cast.agent, current_key=None)
    assert AuditEvent.objects.filter(action="crm.staff_switched_off", actor=None).count() == 1
    told = set(Notification.objects.filter(kind="monitoring.offboarding").values_list("user", flat=True))
    assert {cast.administrator.pk, cast.desk_head.pk} <= told and cast.agent.pk not in told


def test_offboarding_is_confirmed_when_every_check_finds_nothing(cast, browse, django_assert_max_num_queries):
    agent, head = cast.agent, cast.desk_head
    tomorrow = timezone.now() + dt.timedelta(days=1)
    followups.add_task(client_id=cast.client.pk, actor=agent, title="Call back", due_at=tomorrow)
    AgentPhone.objects.create(user=agent, address="+4915112345678")
    Job.objects.create(kind="crm.table_export", title="Clients", owner=agent, result_path="nothing.csv")
    lead = make_client(brand=cast.brand, book=cast.book, email="lead@x.example", login=False)
    leaves(cast, notice=-10, last=0)
    found = {result.check.slug: result.left for result in results_of(agent)}
    assert {"access": 1, "clients": 1, "leads": 1, "tasks": 1, "exports": 1, "phones": 1}.items() <= found.items()
    page = reverse("monitoring_offboarding", args=[agent.pk])
    browser = browse(head)
    with django_assert_max_num_queries(45):
        shown = browser.get(page).content.decode()
    assert f"/clients/?owner={agent.pk}" in shown and "Hand over to the clients" in shown
    with pytest.raises(DomainError, match="Clients: 1"):
        confirm_offboarding(agent_id=agent.pk, actor=head)
    for other in (agent, cast.other_agent, cast.mlro):
        with pytest.raises(NotAllowed):
            clear_check(agent_id=agent.pk, slug="tasks", actor=other)
    assert clear_check(agent_id=agent.pk, slug="tasks", actor=head) == 0  # the client is still the leaver's
    move_clients(client_ids=[cast.client.pk, lead.pk], to_book_id=cast.other_book.pk, actor=None, reason="Leaves")
    for slug in ("tasks", "exports", "phones"):
        browser.post(reverse("monitoring_offboarding_clear", args=[agent.pk, slug]))
    assert Task.objects.get().assignee == cast.other_agent
    assert AuditEvent.objects.filter(action="monitoring.offboarding_step").count() == 4
    make_alert(agent)
    take_everything(cast)
    browse(cast.administrator).post(page)
    row = StaffEmployment.objects.get(pk=agent.pk)
    assert row.offboarded_by == cast.administrator
    confirmed = AuditEvent.objects.get(action="monitoring.offboarding_confirmed")
    kept = audit.body_of(confirmed)["evidence"]["left"]
    assert set(kept.values()) == {0} and len(kept) == len(found)
    with pytest.raises(WrongState):
        confirm_offboarding(agent_id=agent.pk, actor=head)
    set_dates(user_id=agent.pk, actor=cast.administrator, dates=StaffDates(leaves_on=day(5)), reason="Stays a week")
    row.refresh_from_db()
    assert row.offboarded_at is None


def test_a_new_role_starts_a_new_habit(cast):
    """Entered late, from the event; on the day, when the day is closed; another date changes nothing."""
    learned = {"feature": "views", "days": 20, "slow_hours": 100, "through": day(-1)}
    for person in (cast.agent, cast.other_agent, cast.retention):
        Baseline.objects.create(agent=person, slow_count=400, **learned)
    for person, dates in (
        (cast.agent, StaffDates(role_changed_on=day(-3))),
        (cast.other_agent, StaffDates(role_changed_on=day(0))),
        (cast.retention, StaffDates(joined_on=day(-300))),
    ):
        set_dates(user_id=person.pk, actor=cast.administrator, dates=dates)
    drain()
    counts = dict(Baseline.objects.filter(feature="views").values_list("agent", "slow_count"))
    assert counts == {cast.agent.pk: 40, cast.other_agent.pk: 400, cast.retention.pk: 400}
    baselines.close_days(now=timezone.now() + dt.timedelta(days=2))
    counts = dict(Baseline.objects.filter(feature="views").values_list("agent", "slow_count"))
    assert counts[cast.other_agent.pk] <= 40 < counts[cast.retention.pk]


def take_everything(cast) -> None:
    """What the administrator does on the pages that the checks link to."""
    switch_off(user_id=cast.agent.pk, actor=cast.administrator, reason="Left")
    cast.agent.groups.clear()
    UserObjectPermission.objects.filter(user=cast.agent).delete()
    for book in Book.objects.filter(owner=cast.agent):
        book.owner = None
        book.save()


def test_case_pack_lists_what_a_leaver_still_has(cast):
    alert = make_alert(cast.agent)

    def offboarding():
        report = report_of(alert, reader=cast.desk_head, name="Agent 1")
        return next((section for section in report.sections if section.title == "Offboarding"), None)

    assert offboarding() is None, "an agent who stays has no such section"
    row = leaves(cast, notice=-10, last=0)
    section = offboarding()
    assert section is not None and section.text == "Not confirmed yet"
    left = {str(result.check.label): result.left for result in results_of(cast.agent)}
    assert dict(section.rows) == left and left["Clients"] == 1
    row.offboarded_at, row.offboarded_by = timezone.now(), cast.desk_head
    row.save(update_fields=["offboarded_at", "offboarded_by"])
    assert f"Confirmed by {cast.desk_head}" in offboarding().text

"""Automations from the trigger to the last step: who enters, what is done once, what is left out, and when one pauses."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.models import Client, DoNotCall, Message, SegmentMember, Task, TextMessage, TextOptOut
from clients.segments import verbs as segments
from clients.texting.numbers import number_mark
from crm.due import sweep
from crm.errors import DomainError
from crm.events import ClientContacted, ClientRegistered, SalesStatusChanged, drain, publish
from crm.models import DueRow, EventSubscription, Notification
from leads.automations import entering, verbs
from leads.automations.actions import ACTIONS
from leads.automations.definition import new_definition
from leads.automations.running import RETRY_SECONDS
from leads.models import Automation, AutomationRun, AutomationRunStep
from tests.brand_policies import set_policies
from tests.cast import make_client, signed_in
from tests.clients.texting.running import make_service
from tests.outbox import published

pytestmark = pytest.mark.django_db
ALL = {"version": 1, "all": []}
GERMAN = {"version": 1, "all": [{"field": "country", "is": "in", "value": ["DE"]}]}
AUSTRIAN = {"version": 1, "all": [{"field": "country", "is": "in", "value": ["AT"]}]}
WELCOME = {"action": "email", "options": {"template": "clients.learn_welcome_1"}}


def task(text="Call {{ first_name }}", **more):
    return {"action": "task", "options": {"text": text, "days": 2, "person": None}, **more}


def live(cast, *steps, name="Welcome", **parts) -> Automation:
    draft = {**new_definition(), **parts, "steps": list(steps)}
    row = verbs.create_automation(brand_id=cast.brand.pk, name=name, actor=None, draft=draft)
    verbs.activate_automation(automation_id=row.pk, actor=None)
    row.refresh_from_db()
    return row


def register(*clients) -> None:
    for client in clients:
        event = ClientRegistered(client_id=client.pk, brand_id=client.brand_id, user_id=1)
        with transaction.atomic():
            publish(event)
    drain()


def work(*, pass_time: dt.timedelta | None = None) -> None:
    """Do what is due, as if that much time had passed."""
    if pass_time:
        AutomationRun.objects.filter(next_at__isnull=False).update(next_at=timezone.now())
        DueRow.objects.filter(kind=entering.STEP_DUE, state="pending").update(at=timezone.now(), next_at=timezone.now())
    while sweep(seconds=5):
        pass


DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def open_all_day(cast):
    set_policies(cast.brand, automation_hour_from=0, automation_hour_until=24)


def steps_of(client):
    rows = AutomationRunStep.objects.filter(run__client=client).order_by("run_id", "position")
    return [(row.position, row.state, row.reason) for row in rows]


def test_an_event_lets_in_who_meets_the_conditions_and_each_step_follows_its_wait(cast):
    Client.objects.update(country="DE")
    other = make_client(email="other@x.example", brand=cast.brand, book=cast.book, country="FR")
    automation = live(cast, WELCOME, task(wait_minutes=1440), condition=GERMAN)
    register(cast.client, other)
    run = AutomationRun.objects.get()
    assert (run.client_id, run.state, run.version_id) == (cast.client.pk, "active", automation.version_id)
    work()
    assert Message.objects.filter(template="clients.learn_welcome_1").count() == 1
    assert not Task.objects.exists()
    work(pass_time=DAY)
    run.refresh_from_db()
    assert (run.state, steps_of(cast.client)) == ("finished", [(0, "done", ""), (1, "done", "")])
    row = Task.objects.get()
    assert (row.title, row.assignee) == (f"Call {cast.client.first_name}", cast.agent)
    assert Notification.objects.filter(user=cast.agent, kind="clients.task").count() == 1
    work(pass_time=DAY)
    assert (Message.objects.count(), Task.objects.count()) == (1, 1)


def test_an_event_on_its_data_and_a_step_with_a_condition_of_its_own(cast):
    condition = {"version": 1, "all": [{"field": "after", "is": "is", "value": "interested"}]}
    trigger = {"kind": "event", "event": "lead.sales_status_changed", "condition": condition}
    Client.objects.update(country="DE")
    live(cast, task(condition=AUSTRIAN), task("Second"), trigger=trigger)
    for after in ("contacted", "interested"):
        with transaction.atomic():
            publish(SalesStatusChanged(client_id=cast.client.pk, brand_id=cast.brand.pk, before="new", after=after))
    drain()
    work()
    assert steps_of(cast.client) == [(0, "skipped", "condition"), (1, "done", "")]


def test_what_did_not_happen_in_time_lets_in_and_what_happened_keeps_out(cast):
    late = make_client(email="late@x.example", brand=cast.brand, book=cast.book)
    trigger = {"kind": "absent", "event": "client.registered", "absent": "client.contacted", "hours": 24}
    live(cast, task(), trigger=trigger)
    register(cast.client, late)
    with transaction.atomic():
        publish(
            ClientContacted(
                client_id=cast.client.pk, brand_id=cast.brand.pk, agent_id=cast.agent.pk, kind="call", outcome="reached"
            )
        )
    work()
    assert not Task.objects.exists()
    work(pass_time=DAY)
    assert {run.client_id: (run.state, run.reason) for run in AutomationRun.objects.all()} == {
        cast.client.pk: ("not_started", "happened"),
        late.pk: ("finished", ""),
    }
    assert Task.objects.get().client == late


def test_a_date_lets_in_once_when_it_comes(cast):
    now = timezone.now()
    Client.objects.update(registered_at=now - dt.timedelta(days=30, minutes=2))
    old = make_client(email="old@x.example", brand=cast.brand, book=cast.book)
    Client.objects.filter(pk=old.pk).update(registered_at=now - dt.timedelta(days=31))
    automation = live(cast, task(), trigger={"kind": "date", "field": "registered_at", "days": 30})
    Automation.objects.filter(pk=automation.pk).update(dates_until=now - dt.timedelta(minutes=5))
    assert entering.enter_by_date() == Client.objects.filter(brand=cast.brand).count() - 1
    assert entering.enter_by_date() == 0
    assert not AutomationRun.objects.filter(client=old).exists()


def test_entering_a_segment_lets_in_and_a_list_is_changed(cast):
    guests = segments.create_segment(brand_id=cast.brand.pk, name="Guests", actor=None)
    welcomed = segments.create_segment(brand_id=cast.brand.pk, name="Welcomed", actor=None)
    trigger = {"kind": "segment", "segment": guests.pk, "is_entering": True}
    live(cast, {"action": "list", "options": {"segment": welcomed.pk, "how": "add"}}, trigger=trigger)
    segments.add_members(segment_id=guests.pk, client_ids=[cast.client.pk], actor=None)
    segments.add_members(segment_id=welcomed.pk, client_ids=[cast.other_client.pk], actor=None)
    drain()
    work()
    assert SegmentMember.objects.filter(segment=welcomed, client=cast.client).exists()
    assert AutomationRun.objects.count() == 1


def test_goal_exit_closing_and_archiving_end_a_run_before_its_next_step(cast):
    people = [
        make_client(email=f"p{place}@x.example", brand=cast.brand, book=cast.book, country="FR") for place in range(3)
    ]
    automation = live(cast, task(wait_minutes=60), goal=GERMAN, exit=AUSTRIAN)
    register(*people, cast.client)
    Client.objects.filter(pk=people[0].pk).update(country="DE")
    Client.objects.filter(pk=people[1].pk).update(country="AT")
    Client.objects.filter(pk=people[2].pk).update(stage="closed")
    Client.objects.filter(pk=cast.client.pk).update(country="FR")
    AutomationRun.objects.filter(client=cast.client).update(next_at=timezone.now() + DAY)
    DueRow.objects.filter(kind=entering.STEP_DUE).exclude(client_id=cast.client.pk).update(next_at=timezone.now())
    work()
    ends = [AutomationRun.objects.get(client=client) for client in people]
    assert [(run.state, run.reason) for run in ends] == [("goal", ""), ("left", "exit"), ("left", "closed")]
    verbs.archive_automation(automation_id=automation.pk, actor=None)
    work()
    last = AutomationRun.objects.get(client=cast.client)
    assert (last.state, last.reason, Task.objects.count()) == ("left", "ended", 0)


def test_marketing_needs_consent_and_who_must_not_be_contacted_is_left_out(cast):
    marketing = {"action": "email", "options": {"template": "clients.learn_welcome_3"}}
    quiet = make_client(email="quiet@x.example", brand=cast.brand, book=cast.book, marketing_consent=True)
    DoNotCall.objects.create(client=quiet, reason="asked", set_by=cast.agent)
    Client.objects.filter(pk=cast.client.pk).update(marketing_consent=False)
    glad = make_client(email="glad@x.example", brand=cast.brand, book=cast.book, marketing_consent=True)
    live(cast, marketing)
    register(cast.client, quiet, glad)
    work()
    assert steps_of(cast.client) == [(0, "skipped", "no_consent")]
    assert steps_of(quiet) == [(0, "skipped", "do_not_contact")]
    assert steps_of(glad) == [(0, "done", "")]


def test_a_webhook_step_publishes_its_signal_once(cast):
    with pytest.raises(DomainError, match="digits, dots"):
        live(cast, {"action": "signal", "options": {"signal": "Not a name!"}}, name="Wrong")
    step = {"action": "signal", "options": {"signal": "welcome-done"}}
    automation = live(cast, step)
    register(cast.client)
    work()
    work()
    run = AutomationRun.objects.get()
    data = {"automation_id": automation.pk, "run_id": run.pk, "signal": "welcome-done"}
    assert run.state == "finished" and [event.data for event in published("automation.signalled")] == [data]
    assert "welcome-done" in ACTIONS["signal"].words(automation.version.definition["steps"][0]["options"])


def test_a_whatsapp_step_takes_approved_templates_alone(cast):
    """In the client's language, as WhatsApp approved it; who reads another one is left out with the reason."""
    step = {"action": "whatsapp", "options": {"template": "clients.sms_documents"}}
    make_service(cast.brand, "http://127.0.0.1:9")
    with pytest.raises(DomainError):
        live(cast, step, name="Not approved")
    set_policies(cast.brand, whatsapp_templates=["clients.sms_documents en HX" + "0" * 32])
    people = [
        make_client(
            email=f"wa{language}@x.example",
            brand=cast.brand,
            book=cast.book,
            phone=phone,
            country="DE",
            language=language,
        )
        for language, phone in (("en", "+4915112345678"), ("de", "+4915112345679"))
    ]
    automation = live(cast, step)
    register(*people)
    work()
    assert [steps_of(person) for person in people] == [[(0, "done", "")], [(0, "skipped", "not_possible")]]
    row = TextMessage.objects.get()
    assert (row.thread.channel, row.thread.client, row.content_id[:2]) == ("whatsapp", people[0], "HX")
    assert "WhatsApp" in ACTIONS["whatsapp"].words(automation.version.definition["steps"][0]["options"])


def test_an_sms_goes_once_to_who_can_get_it(cast):
    """Sent by template, once per step; not to an opted-out number, nor marketing without consent, nor without a service."""
    sms = {"action": "sms", "options": {"template": "clients.sms_documents"}}
    with pytest.raises(DomainError):
        live(cast, sms, name="No service")
    make_service(cast.brand, "http://127.0.0.1:9")
    people = [
        make_client(email=f"sms{number}@x.example", brand=cast.brand, book=cast.book, phone=phone, country="DE")
        for number, phone in enumerate(["+4915112345678", "+4915112345679", "123"])
    ]
    TextOptOut.objects.create(brand=cast.brand, channel="sms", number_mark=number_mark(people[1].phone), reason="stop")
    automation = live(cast, sms, {"action": "sms", "options": {"template": "clients.sms_news"}})
    register(*people)
    work()
    work(pass_time=DAY)
    assert steps_of(people[0]) == [(0, "done", ""), (1, "skipped", "no_consent")]
    assert [steps_of(person)[0] for person in people[1:]] == [(0, "skipped", "not_possible")] * 2
    row = TextMessage.objects.get()
    assert (row.thread.client, row.template, row.sender) == (people[0], "clients.sms_documents", None)
    assert "SMS" in ACTIONS["sms"].words(automation.version.definition["steps"][0]["options"])
    page = signed_in(cast.mlro).get("/sms/opt-outs/").content.decode()
    assert "Replied STOP" in page and signed_in(cast.agent).get("/sms/opt-outs/").status_code == 403


def test_nobody_is_written_to_at_night(cast):
    hour = timezone.now().astimezone(dt.UTC).hour
    Client.objects.update(time_zone="UTC")
    opens = (hour + 2) % 24 or 1
    set_policies(cast.brand, automation_hour_from=opens, automation_hour_until=opens + 1)
    live(cast, WELCOME)
    register(cast.client)
    work()
    run = AutomationRun.objects.get()
    assert (run.state, steps_of(cast.client)) == ("active", [])
    assert run.next_at.astimezone(dt.UTC).hour == opens


def test_a_client_enters_so_often_in_a_period_and_once_at_a_time(cast):
    live(cast, task(wait_minutes=60), entries_max=2, entries_days=7)
    register(cast.client)
    register(cast.client)
    assert AutomationRun.objects.count() == 1
    for _again in range(3):
        work(pass_time=DAY)
        register(cast.client)
    assert AutomationRun.objects.count() == 2
    AutomationRun.objects.update(entered_at=timezone.now() - 8 * DAY)
    work(pass_time=DAY)
    register(cast.client)
    assert AutomationRun.objects.count() == 3


def test_automations_that_start_each_other_end_at_their_limit(cast):
    first, second = (
        verbs.create_automation(brand_id=cast.brand.pk, name=name, actor=None) for name in ("First", "Second")
    )
    for one, other in ((first, second), (second, first)):
        draft = {
            **new_definition(),
            "entries_max": 3,
            "steps": [{"action": "start", "options": {"automation": other.pk}}],
        }
        verbs.save_automation(automation_id=one.pk, name=one.name, draft=draft, actor=None)
        verbs.activate_automation(automation_id=one.pk, actor=None)
    register(cast.client)
    work()
    assert 2 <= AutomationRun.objects.count() <= 6
    assert not AutomationRun.objects.filter(state="active").exists()


def test_an_automation_that_its_own_step_starts_ends_at_its_limit(cast):
    """Its steps take the client off the list whose entering starts it, and put them on again."""
    loop = segments.create_segment(brand_id=cast.brand.pk, name="Loop", actor=None)
    steps = [{"action": "list", "options": {"segment": loop.pk, "how": how}} for how in ("remove", "add")]
    live(cast, *steps, trigger={"kind": "segment", "segment": loop.pk, "is_entering": True}, entries_max=3)
    segments.add_members(segment_id=loop.pk, client_ids=[cast.client.pk], actor=None)
    for _turn in range(6):
        drain()
        work()
    assert 1 <= AutomationRun.objects.count() <= 3
    assert not AutomationRun.objects.filter(state="active").exists()


def test_groups_are_chosen_by_a_keyed_hash_and_get_their_own_steps(cast):
    people = [
        make_client(email=f"g{place}@x.example", brand=cast.brand, book=cast.book, login=False) for place in range(12)
    ]
    live(cast, task("A", variant="a"), task("B", variant="b"), split=50)
    register(*people)
    work()
    by_client = dict(AutomationRun.objects.values_list("client_id", "variant"))
    assert {text.lower() for text in Task.objects.values_list("title", flat=True)} == set(by_client.values())
    assert all(row.title.lower() == by_client[row.client_id] for row in Task.objects.all())
    share = sum(entering.variant_of(1, number, 30) == "b" for number in range(2000))
    assert 500 < share < 700


def test_a_step_that_fails_is_tried_again_and_pauses_the_automation_after_so_many(cast):
    set_policies(cast.brand, automation_failures_max=3)
    people = [
        make_client(email=f"f{place}@x.example", brand=cast.brand, book=cast.book, login=False) for place in range(5)
    ]
    automation = live(cast, {"action": "reroute", "options": {}})
    register(*people)

    def broken(turns):
        raise RuntimeError("the router is broken")

    working = ACTIONS["reroute"].perform
    object.__setattr__(ACTIONS["reroute"], "perform", broken)
    try:
        work()
        automation.refresh_from_db()
        assert (automation.state, automation.failures) == ("paused", 3)
        assert "the router is broken" in automation.pause_reason
        assert not EventSubscription.objects.get(target="automation").is_enabled
        assert Notification.objects.filter(user=cast.administrator, kind="leads.automation_paused").exists()
        assert AutomationRun.objects.filter(state="active").count() == 5
    finally:
        object.__setattr__(ACTIONS["reroute"], "perform", working)
    verbs.resume_automation(automation_id=automation.pk, actor=None)
    work(pass_time=DAY)
    assert not AutomationRun.objects.filter(state="active").exists()
    automation.refresh_from_db()
    assert (automation.state, automation.failures) == ("active", 0)
    assert len(RETRY_SECONDS) == 2


def test_the_database_refuses_a_second_run_of_a_step_and_a_changed_version(cast):
    automation = live(cast, task())
    register(cast.client)
    work()
    run = AutomationRun.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        AutomationRunStep.objects.create(run=run, position=0, state="done")
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        automation.versions.update(number=9)


def test_a_run_keeps_its_version_and_a_new_one_is_for_those_who_enter_later(cast):
    Client.objects.update(owner=cast.agent)
    automation = live(cast, task("Old", wait_minutes=60))
    register(cast.client)
    draft = {**automation.draft, "steps": [task("New", wait_minutes=60)]}
    verbs.save_automation(automation_id=automation.pk, name="Welcome", draft=draft, actor=None)
    verbs.activate_automation(automation_id=automation.pk, actor=None)
    later = make_client(email="later@x.example", brand=cast.brand, book=cast.book)
    register(later)
    work(pass_time=DAY)
    assert {row.client_id: row.title for row in Task.objects.all()} == {cast.client.pk: "Old", later.pk: "New"}


def test_unknown_variables_and_e_mails_are_refused_when_saved(cast):
    automation = verbs.create_automation(brand_id=cast.brand.pk, name="Draft", actor=None)
    for step, words in (
        (task("Call {{ nickname }}"), "Step 1: There is no variable “nickname”"),
        (task("Call {{ first_name }"), "two braces on each side"),
        ({"action": "email", "options": {"template": "clients.no_such"}}, "no e-mail template"),
        ({"action": "start", "options": {"automation": 10**9}}, "Choose an automation"),
        (task(wait_minutes=-1), "whole number"),
        (task(variant="b"), "share of clients in group B"),
    ):
        with pytest.raises(DomainError, match=words):
            verbs.save_automation(
                automation_id=automation.pk, name="Draft", draft={**new_definition(), "steps": [step]}, actor=None
            )
    with pytest.raises(DomainError, match="at least one step"):
        verbs.activate_automation(automation_id=automation.pk, actor=None)

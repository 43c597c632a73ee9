import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from clients.calls import CallDetails, log_call
from clients.choices import SALES_NOT_CHOSEN, SALES_TRANSITIONS, CallOutcome, SalesStatus, Stage
from clients.facts import FACTS, differences
from clients.models import Client, TimelineEntry
from clients.stages import move_stage
from crm import events
from crm.errors import NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent
from leads.models import Lead, SalesStatusChange
from leads.pipeline import change_sales_status, mark_registration_sent, next_statuses
from tests.cast import signed_in
from tests.outbox import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(german_rule, capture):
    return capture().lead


def test_a_step_is_kept_told_and_stops_the_clock(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=cast.agent, reason="Wants a demo")
    assert Client.objects.get(pk=lead.client_id).sales_status == "contacted"
    step = SalesStatusChange.objects.get()
    assert (step.before, step.after, step.actor, step.reason) == ("new", "contacted", cast.agent, "Wants a demo")
    assert TimelineEntry.objects.filter(client_id=lead.client_id, title="Status: New → Contacted").count() == 1
    lead.refresh_from_db()
    assert lead.touched_by == cast.agent and lead.sla_due_at is None


@pytest.mark.parametrize(
    ("before", "outcome", "after"),
    [
        ("new", "reached", "contacted"),
        ("new", "voicemail", "no_answer"),
        ("no_answer", "call_back", "call_back"),
        ("contacted", "no_answer", "contacted"),
        ("contacted", "refused", "not_interested"),
        ("interested", "reached", "interested"),
        ("do_not_call", "reached", "do_not_call"),
    ],
)
def test_a_logged_call_moves_an_early_lead_and_leaves_later_steps_to_the_agent(cast, lead, before, outcome, after):
    change_sales_status(client_id=lead.client_id, to=SalesStatus(before), actor=cast.agent)
    for _ in range(2):  # also when the event comes twice
        log_call(client_id=lead.client_id, actor=cast.agent, details=CallDetails(CallOutcome(outcome)))
        events.drain()
    assert Client.objects.get(pk=lead.client_id).sales_status == after
    assert not SalesStatusChange.objects.exclude(actor=cast.agent).exists()


def test_the_leads_card_comes_again_with_the_status_beside_the_name(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.CALL_BACK, actor=cast.agent)
    page = signed_in(cast.agent).get(f"/leads/{lead.client_id}/card/").content.decode()
    assert page.count("Call back") == 2 and 'id="sales-status" hx-swap-oob="true"' in page


def test_a_part_of_a_clients_page_is_a_look_where_the_page_was_not_opened(cast, lead):
    """Whoever asks for parts alone, with the header of an open page, leaves a trace too; what an open page asks again is none."""
    browser, looks = signed_in(cast.agent), AccessEvent.objects.filter(kind="view", client_id=lead.client_id)
    for _again in (1, 2):
        browser.get(f"/leads/{lead.client_id}/card/")
        assert [row.target for row in looks] == ["clients.client:lead"]
    other = signed_in(cast.desk_head)
    other.get(f"/clients/{lead.client_id}/tab/timeline/", headers={"HX-Request": "true"})
    assert looks.filter(user=cast.desk_head).count() == 1
    other.get(f"/clients/{lead.client_id}/")
    other.get(f"/clients/{lead.client_id}/tab/timeline/", headers={"HX-Request": "true"})
    assert looks.filter(user=cast.desk_head).count() == 2


def test_the_tile_says_what_nobody_ever_touched_though_nobody_new_waits(cast, lead):
    Lead.objects.update(assigned_to=cast.agent, assigned_at=timezone.now() - dt.timedelta(days=8), touched_at=None)
    page = signed_in(cast.agent).get("/tiles/my_day/leads-waiting/").content.decode()
    assert "No new leads waiting" in page and "1 lead older than a week, never contacted" in page


def test_the_same_step_twice_is_one(cast, lead):
    for _ in range(2):
        change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=cast.agent)
    assert SalesStatusChange.objects.count() == 1


def test_a_step_the_pipeline_does_not_have_is_refused(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.INTERESTED, actor=cast.agent)
    with pytest.raises(WrongState, match="can't move"):
        change_sales_status(client_id=lead.client_id, to=SalesStatus.NEW, actor=cast.agent)


def test_only_who_may_lift_it_calls_again_who_asked_not_to_be_called(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.DO_NOT_CALL, actor=cast.agent)
    client = Client.objects.get(pk=lead.client_id)
    assert next_statuses(cast.agent, client) == []
    with pytest.raises(NotAllowed):
        change_sales_status(client_id=lead.client_id, to=SalesStatus.NOT_INTERESTED, actor=cast.agent)
    assert next_statuses(cast.desk_head, client) == [SalesStatus.NOT_INTERESTED]
    change_sales_status(client_id=lead.client_id, to=SalesStatus.NOT_INTERESTED, actor=cast.desk_head)


@pytest.mark.parametrize("who", ["other_agent", "auditor", "support", "kyc_officer", "marketing"])
def test_the_wrong_role_moves_nothing(cast, lead, who):
    with pytest.raises(NotAllowed):
        change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=getattr(cast, who))
    assert not SalesStatusChange.objects.exists()


def _doors(lead):
    """Every way on a page to a lead's status, with what it sends."""
    return {
        "row": (f"/lists/leads/move/{lead.client_id}/", {"column": "sales_status", "query": ""}),
        "board": ("/leads/board/move/", {"client": lead.client_id}),
        "card": (f"/leads/{lead.client_id}/status/", {"reason": "Says so"}),
    }


@pytest.mark.parametrize("to", sorted(SALES_NOT_CHOSEN))
@pytest.mark.parametrize("door", ["verb", "row", "board", "card"])
@pytest.mark.parametrize("who", ["agent", "desk_head"])
def test_nobody_chooses_a_step_of_the_system(cast, lead, who, door, to):
    """Past the menus too: a "converted" lead leaves every list of leads, and counts for the agent."""
    before = AuditEvent.objects.count()
    if door == "verb":
        with pytest.raises(WrongState, match="automatically"):
            change_sales_status(client_id=lead.client_id, to=SalesStatus(to), actor=getattr(cast, who))
    else:
        address, data = _doors(lead)[door]
        browser = signed_in(getattr(cast, who))
        before = AuditEvent.objects.count()
        answer = browser.post(address, {**data, "to": to}, headers={"HX-Request": "true"})
        assert "automatically" in answer.content.decode() + answer.headers.get("HX-Trigger", "")
    assert Client.objects.get(pk=lead.client_id).sales_status == SalesStatus.NEW
    assert not SalesStatusChange.objects.exists() and AuditEvent.objects.count() == before
    assert not TimelineEntry.objects.filter(client_id=lead.client_id, title__startswith="Status").exists()


def test_sending_the_link_still_says_so(cast, lead):
    mark_registration_sent(client_id=lead.client_id, actor=cast.agent)
    step = SalesStatusChange.objects.get()
    assert (step.after, step.actor) == (SalesStatus.REGISTRATION_SENT, cast.agent)
    mark_registration_sent(client_id=lead.client_id, actor=cast.agent)
    assert SalesStatusChange.objects.count() == 1
    with pytest.raises(NotAllowed):
        mark_registration_sent(client_id=lead.client_id, actor=cast.kyc_officer)


def test_registering_converts_from_every_status(cast, lead):
    for status in SalesStatus:
        assert status == SalesStatus.CONVERTED or SalesStatus.CONVERTED in SALES_TRANSITIONS[status]
    change_sales_status(client_id=lead.client_id, to=SalesStatus.DO_NOT_CALL, actor=cast.agent)
    move_stage(client_id=lead.client_id, to=Stage.REGISTERED)
    events.drain()
    assert Client.objects.get(pk=lead.client_id).sales_status == SalesStatus.CONVERTED


def test_the_database_refuses_to_change_the_history(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=cast.agent)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE leads_salesstatuschange SET after = 'new'")


def test_rebuilding_the_facts_finds_nothing_to_change(cast, lead, capture):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=cast.agent)
    capture(source="facebook", email="erika+2@web.de")
    for name in ("score", "sales_status", "source", "campaign", "last_contact_at"):
        assert list(differences(FACTS[name])) == [], name
    Client.objects.filter(pk=lead.client_id).update(score=1)
    assert len(list(differences(FACTS["score"]))) == 1


def test_every_status_can_be_left_or_is_an_end():
    for status, targets in SALES_TRANSITIONS.items():
        assert status not in targets
        assert targets or status == SalesStatus.CONVERTED


def test_a_step_is_published_with_before_and_after(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=cast.agent)
    (event,) = published("lead.sales_status_changed")
    assert (event.client, event.data) == (lead.client_id, {"before": "new", "after": "contacted"})

"""A click rings the agent, then the client; whatever gets lost on the way is looked up and never guessed."""

import pytest

from clients.choices import CallOutcome
from clients.models import AgentPhone, Call, Client, PhoneCall, TimelineEntry
from clients.telephony import calls, exchange_work, hearing
from clients.telephony.choices import PhoneState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent
from tests.brand_policies import set_policies
from tests.clients.telephony.running import AGENT_NUMBER, OUR_NUMBER, make_due, post, work

pytestmark = pytest.mark.django_db


def _start(cast) -> PhoneCall:
    return calls.start_call(client_id=cast.client.pk, actor=cast.agent)


def test_a_call_goes_from_click_to_the_timeline(cast, sandbox, exchange):
    call = _start(cast)
    assert (call.state, AuditEvent.objects.filter(action="clients.phone_call_placed").count()) == ("requested", 1)
    call = work(call)
    assert set(sandbox.deliver()) == {200}
    first, second = sandbox.server.exchange.legs.values()
    hearing.process_due()
    call.refresh_from_db()
    assert (call.state, call.leg_id, call.end, call.problem) == ("ended", first.sid, "completed", "")
    assert (first.to, second.to, second.from_) == (AGENT_NUMBER, "+4915112345678", OUR_NUMBER)
    assert call.answered_at and call.ended_at >= call.answered_at and call.was_dialled
    assert [leg.is_first for leg in calls.legs_of(call)] == [True, False]
    logged = calls.log_outcome(call_id=call.pk, actor=cast.agent, outcome=CallOutcome.REACHED, notes="Wants MT5")
    entry = TimelineEntry.objects.get(client=cast.client, kind="call")
    assert (entry.body, entry.data["phone_call_id"], entry.actor) == ("Wants MT5", call.pk, cast.agent)
    assert (logged.duration_seconds, logged.started_at) == (call.duration_seconds, call.answered_at)
    assert AccessEvent.objects.get(kind="call").user == cast.agent
    with pytest.raises(WrongState):
        calls.log_outcome(call_id=call.pk, actor=cast.agent, outcome=CallOutcome.REACHED)


@pytest.mark.parametrize(
    ("plan", "state", "end", "outcome"),
    [
        ("busy", "missed", "busy", "busy"),
        ("no-answer", "missed", "no_answer", "no_answer"),
        ("failed", "failed", "failed", None),
    ],
)
def test_what_nobody_entered_is_logged_as_the_exchange_reports(cast, sandbox, exchange, plan, state, end, outcome):
    sandbox.plan("+4915112345678", plan)
    call = work(_start(cast))
    sandbox.deliver()
    hearing.process_due()
    call.refresh_from_db()
    assert (call.state, call.end) == (state, end)
    work(call)
    assert Call.objects.values_list("outcome", flat=True).first() == outcome
    assert TimelineEntry.objects.filter(client=cast.client, kind="call").count() == (outcome is not None)


def test_a_client_who_was_never_rung_was_not_contacted(cast, sandbox, exchange):
    sandbox.plan(AGENT_NUMBER, "no-answer")
    call = work(_start(cast))
    sandbox.deliver()
    hearing.process_due()
    call.refresh_from_db()
    assert (call.state, call.was_dialled, call.due_at) == ("missed", False, None)
    assert not Call.objects.exists() and Client.objects.get(pk=cast.client.pk).last_contact_at is None


def test_a_lost_end_is_found_by_looking_up(cast, sandbox, exchange):
    call = work(_start(cast))
    for callback in sandbox.fresh():
        if callback.fields["CallStatus"] != "completed":
            assert post(callback) == 200
    hearing.process_due()
    call.refresh_from_db()
    assert call.state == "answered" and call.due_at is not None
    call = work(call)
    assert (call.state, call.end) == ("ended", "completed")


def test_a_lost_answer_is_looked_up_and_nobody_is_rung_twice(cast, sandbox, exchange):
    sandbox.fault("lose_answer")
    call = work(_start(cast))
    assert call.state == "unknown" and call.leg_id == ""
    sandbox.fresh()  # and every callback is lost too
    call = work(call)
    assert (call.state, len(sandbox.server.exchange.legs)) == ("ended", 2)


def test_reports_join_a_call_whose_answer_was_lost(cast, sandbox, exchange):
    sandbox.fault("lose_answer")
    call = work(_start(cast))
    sandbox.deliver()
    hearing.process_due()
    call.refresh_from_db()
    assert call.state == "ended" and call.leg_id


def test_a_call_that_never_arrived_fails_once_the_exchange_was_asked(cast, sandbox, exchange):
    sandbox.fault("garbage")
    call = work(_start(cast))
    assert call.state == "unknown"
    call = work(call)
    assert call.state == "unknown"  # too early to say
    PhoneCall.objects.filter(pk=call.pk).update(sent_at=call.sent_at - exchange_work.NOT_THERE_AFTER)
    call = work(call)
    assert (call.state, call.problem) == ("failed", "The exchange has no such call.")


@pytest.mark.parametrize(("fault", "value"), [("outage", True), ("reset", True), ("huge", True), ("garbage", True)])
def test_an_exchange_that_gives_no_answer_leaves_the_outcome_open(cast, sandbox, exchange, fault, value):
    sandbox.fault(fault, value)
    call = work(_start(cast))
    assert call.state == "unknown" and call.problem and call.due_at


def test_a_refused_call_has_failed_and_says_why(cast, sandbox, exchange):
    cast.agent.phone.delete()
    AgentPhone.objects.create(user=cast.agent, address="tel:nonsense")
    call = work(_start(cast))
    assert call.state == "failed" and "not a valid phone number" in call.problem


def test_the_exchange_asking_to_slow_down_fails_the_call_and_not_the_connection(cast, sandbox, exchange):
    sandbox.fault("rate_limit", 7)
    assert work(_start(cast)).state == "failed"
    exchange.refresh_from_db()
    assert exchange.failing_since is None


def test_an_agent_is_on_one_call_at_a_time(cast, sandbox, exchange):
    _start(cast)
    with pytest.raises(WrongState):
        _start(cast)
    assert PhoneCall.objects.count() == 1


@pytest.mark.parametrize("who", ["other_agent", "auditor", "marketing", "administrator"])
def test_the_wrong_role_calls_nobody(cast, sandbox, exchange, who):
    with pytest.raises(NotAllowed):
        calls.start_call(client_id=cast.client.pk, actor=getattr(cast, who))
    assert not PhoneCall.objects.exists()


def test_without_policy_exchange_phone_or_number_there_is_no_call(cast, sandbox, exchange):
    set_policies(cast.brand, calls_through_exchange=False)
    with pytest.raises(NotAllowed):
        _start(cast)
    set_policies(cast.brand, calls_through_exchange=True)
    client = Client.objects.get(pk=cast.client.pk)
    client.phone = "12"
    client.save()
    with pytest.raises(DomainError):
        _start(cast)
    cast.agent.phone.delete()
    with pytest.raises(DomainError):
        _start(cast)
    exchange.is_enabled = False
    exchange.save()
    with pytest.raises(DomainError):
        _start(cast)
    assert not PhoneCall.objects.exists()


def test_only_the_agent_hangs_up_and_says_what_came_of_it(cast, sandbox, exchange):
    call = work(_start(cast))
    with pytest.raises(NotAllowed):
        calls.hang_up(call_id=call.pk, actor=cast.desk_head)
    sandbox.deliver()
    hearing.process_due()
    with pytest.raises(NotAllowed):
        calls.log_outcome(call_id=call.pk, actor=cast.desk_head, outcome=CallOutcome.REACHED)


def test_a_call_nobody_answered_was_not_reached(cast, sandbox, exchange):
    sandbox.plan("+4915112345678", "busy")
    call = work(_start(cast))
    sandbox.deliver()
    hearing.process_due()
    with pytest.raises(DomainError):
        calls.log_outcome(call_id=call.pk, actor=cast.agent, outcome=CallOutcome.REACHED)
    assert not Call.objects.exists()


def test_hanging_up_ends_both_legs(cast, exchange, sandbox):
    sandbox.server.exchange.pace.talk = 30
    call = work(_start(cast))
    sandbox.wait(lambda: any(leg.answered and leg.parent for leg in sandbox.server.exchange.legs.values()))
    calls.hang_up(call_id=call.pk, actor=cast.agent)
    exchange_work.hang_up(call.pk)
    sandbox.deliver()
    hearing.process_due()
    call.refresh_from_db()
    assert call.state == "ended"


def test_a_call_that_was_not_placed_yet_is_cancelled(cast, exchange, sandbox):
    call = _start(cast)
    calls.hang_up(call_id=call.pk, actor=cast.agent)
    make_due(call)
    exchange_work.work_on(call.pk)
    call.refresh_from_db()
    assert call.state == PhoneState.FAILED and not sandbox.server.exchange.legs

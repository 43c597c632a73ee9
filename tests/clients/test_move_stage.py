import threading

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from clients.choices import STAGE_TRANSITIONS, Stage
from clients.models import Client, TimelineEntry
from clients.stages import RANK, close_client, move_stage
from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent, OutboxEvent
from tests.cast import make_client

pytestmark = pytest.mark.django_db


def traces(client):
    """How often a stage change of the client was audited, told and published."""
    return (
        AuditEvent.objects.filter(action="clients.stage_changed", client_id=client.pk).count(),
        TimelineEntry.objects.filter(client=client, kind="stage").count(),
        OutboxEvent.objects.filter(name="client.stage_changed", client_id=client.pk).count(),
    )


def test_a_verified_client_moves_on_and_leaves_a_trace_in_all_three_logs(cast):
    move_stage(client_id=cast.client.pk, to=Stage.VERIFIED, actor=cast.kyc_officer, reason="Level 2")
    cast.client.refresh_from_db()
    assert cast.client.stage == Stage.VERIFIED
    assert traces(cast.client) == (1, 1, 1)
    assert OutboxEvent.objects.get(name="client.stage_changed").payload["before"] == "registered"
    assert cast.client.history.first().stage == "verified"


def test_the_same_step_twice_is_one_step(cast):
    move_stage(client_id=cast.client.pk, to=Stage.VERIFIED)
    move_stage(client_id=cast.client.pk, to=Stage.VERIFIED)
    assert traces(cast.client) == (1, 1, 1)


def test_an_event_that_comes_late_takes_nobody_back(cast):
    move_stage(client_id=cast.client.pk, to=Stage.FUNDED)
    move_stage(client_id=cast.client.pk, to=Stage.VERIFIED)
    assert Client.objects.get(pk=cast.client.pk).stage == Stage.FUNDED


def test_a_charged_back_first_deposit_takes_a_client_back_when_asked_to(cast):
    move_stage(client_id=cast.client.pk, to=Stage.FUNDED)
    move_stage(client_id=cast.client.pk, to=Stage.VERIFIED, is_step_back=True)
    assert Client.objects.get(pk=cast.client.pk).stage == Stage.VERIFIED


def test_a_dormant_client_who_trades_wakes_up(cast):
    for stage in (Stage.FUNDED, Stage.DORMANT, Stage.VERIFIED, Stage.ACTIVE):
        move_stage(client_id=cast.client.pk, to=stage)
    assert Client.objects.get(pk=cast.client.pk).stage == Stage.ACTIVE


def test_a_lead_cannot_be_verified_before_registering(cast):
    lead = make_client(brand=cast.brand, book=cast.book, email="lead@example.com", login=False)
    with pytest.raises(WrongState, match="Lead"):
        move_stage(client_id=lead.pk, to=Stage.VERIFIED)
    assert traces(lead) == (0, 0, 0)


def test_registering_notes_the_date(cast):
    lead = make_client(brand=cast.brand, book=cast.book, email="lead@example.com", login=False)
    move_stage(client_id=lead.pk, to=Stage.REGISTERED)
    assert Client.objects.get(pk=lead.pk).registered_at is not None


def test_a_closed_client_stays_closed_whatever_is_heard(cast):
    close_client(client_id=cast.client.pk, actor=cast.desk_head, reason="Asked to leave")
    move_stage(client_id=cast.client.pk, to=Stage.FUNDED)
    assert Client.objects.get(pk=cast.client.pk).stage == Stage.CLOSED
    with pytest.raises(WrongState, match="already closed"):
        close_client(client_id=cast.client.pk, actor=cast.desk_head, reason="again")


@pytest.mark.parametrize("who", ["agent", "kyc_officer", "finance", "other_agent", "auditor"])
def test_only_those_who_may_close_a_client_can(cast, who):
    with pytest.raises(NotAllowed):
        close_client(client_id=cast.client.pk, actor=getattr(cast, who), reason="no")
    assert Client.objects.get(pk=cast.client.pk).stage == Stage.REGISTERED
    assert traces(cast.client) == (0, 0, 0)


def test_closing_needs_a_reason(cast):
    with pytest.raises(WrongState, match="Enter a reason"):
        close_client(client_id=cast.client.pk, actor=cast.desk_head, reason="  ")


@given(steps=st.lists(st.sampled_from(Stage.values), max_size=12))
def test_whatever_is_heard_in_whatever_order_only_allowed_steps_are_taken(steps):
    """The rule alone, without a database: the same conditions as the verb's."""
    at = Stage.LEAD
    for to in steps:
        if at in (to, Stage.CLOSED):
            continue
        if RANK[to] < RANK[at] and not (at == Stage.DORMANT and to in STAGE_TRANSITIONS[at]):
            continue
        if to in STAGE_TRANSITIONS[at]:
            assert RANK[to] > RANK[at] or at == Stage.DORMANT
            at = to
    assert at in Stage.values


@pytest.mark.django_db(transaction=True)
def test_two_at_once_move_a_client_once(cast):
    gate = threading.Barrier(2)

    def go():
        gate.wait()
        move_stage(client_id=cast.client.pk, to=Stage.FUNDED)
        connections.close_all()

    threads = [threading.Thread(target=go) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert traces(cast.client) == (1, 1, 1)

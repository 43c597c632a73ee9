"""Every step from every stage, as the verb takes it, against the one table."""

import itertools

import pytest
from django.db import IntegrityError, transaction

from clients.choices import STAGE_TRANSITIONS, Stage
from clients.models import Client
from clients.stages import close_client, move_stage
from crm.errors import NotAllowed, WrongState
from crm.models import OutboxEvent

pytestmark = pytest.mark.django_db
ORDER = list(Stage)


def outcome(before: Stage, to: Stage, is_step_back: bool) -> str:
    """moved, stays or refused: said anew, apart from the verb."""
    if before == to or before == Stage.CLOSED:
        return "stays"
    is_backwards = ORDER.index(to) < ORDER.index(before)
    wakes_up = before == Stage.DORMANT and to in (Stage.ACTIVE, Stage.FUNDED)
    if is_backwards and not is_step_back and not wakes_up:
        return "stays"
    return "moved" if to in STAGE_TRANSITIONS[before] else "refused"


@pytest.mark.parametrize("is_step_back", [False, True])
@pytest.mark.parametrize(("before", "to"), list(itertools.product(Stage, Stage)))
def test_each_step_of_each_stage(cast, before, to, is_step_back):
    Client.objects.filter(pk=cast.client.pk).update(stage=before)
    expected = outcome(before, to, is_step_back)
    if expected == "refused":
        with pytest.raises(WrongState):
            move_stage(client_id=cast.client.pk, to=to, is_step_back=is_step_back)
    else:
        move_stage(client_id=cast.client.pk, to=to, is_step_back=is_step_back)
    stage = Client.objects.get(pk=cast.client.pk).stage
    assert stage == (to if expected == "moved" else before)
    assert OutboxEvent.objects.filter(name="client.stage_changed").count() == (expected == "moved")
    assert Client.objects.get(pk=cast.other_client.pk).stage == Stage.REGISTERED


@pytest.mark.parametrize(("to", "is_dated"), [(Stage.REGISTERED, True), (Stage.CLOSED, False)])
def test_a_lead_is_dated_when_it_registers_not_when_closed(cast, to, is_dated):
    Client.objects.filter(pk=cast.client.pk).update(stage=Stage.LEAD, registered_at=None)
    move_stage(client_id=cast.client.pk, to=to)
    assert (Client.objects.get(pk=cast.client.pk).registered_at is not None) is is_dated


def test_the_first_day_of_a_client_stays(cast):
    first = cast.client.registered_at
    for to in (Stage.FUNDED, Stage.ACTIVE, Stage.DORMANT, Stage.ACTIVE):
        move_stage(client_id=cast.client.pk, to=to)
    assert Client.objects.get(pk=cast.client.pk).registered_at == first


def test_the_database_wants_a_date_of_everybody_but_leads(cast):
    with pytest.raises(IntegrityError, match="registered_client_has_a_date"), transaction.atomic():
        Client.objects.filter(pk=cast.client.pk).update(registered_at=None)


@pytest.mark.parametrize("who", ["desk_head", "mlro", "administrator"])
def test_those_who_may_close_at_any_stage(cast, who):
    for before in (Stage.LEAD, Stage.REGISTERED, Stage.ACTIVE, Stage.DORMANT):
        Client.objects.filter(pk=cast.client.pk).update(stage=before)
        assert close_client(client_id=cast.client.pk, actor=getattr(cast, who), reason="Left").stage == Stage.CLOSED


def test_a_head_closes_nobody_of_another_desk(cast):
    with pytest.raises(NotAllowed, match="don't have access"):
        close_client(client_id=cast.other_client.pk, actor=cast.desk_head, reason="Left")


def test_the_page_asks_why_and_offers_it_once(cast, browse):
    browser = browse(cast.desk_head)
    assert browser.post(f"/clients/{cast.client.pk}/close/", {"reason": ""}).status_code == 422
    assert f"/clients/{cast.client.pk}/close/" in browser.get(f"/clients/{cast.client.pk}/").content.decode()
    browser.post(f"/clients/{cast.client.pk}/close/", {"reason": "Left"})
    assert f"/clients/{cast.client.pk}/close/" not in browser.get(f"/clients/{cast.client.pk}/").content.decode()
    answer = browser.post(f"/clients/{cast.client.pk}/close/", {"reason": "again"})
    assert answer.status_code == 422 and "already closed" in answer.content.decode()

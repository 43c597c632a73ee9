"""Facts on the record, compared with their sources and written again."""

import datetime as dt
import io
from dataclasses import replace

import pytest
from django.core.management import call_command

from clients import facts
from clients.facts import FACTS, differences, rebuild
from clients.models import Call, Client, Message
from crm.conditions import FieldType

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 9, 10, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def called(cast):
    """One client was called an hour ago; the record does not say so."""
    Call.objects.create(client=cast.client, agent=cast.agent, outcome="reached", started_at=NOW)
    return cast


def contact_of(client) -> dt.datetime | None:
    return Client.objects.get(pk=client.pk).last_contact_at


def test_the_check_names_each_client_that_differs(called):
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_facts", "--check", stdout=out, stderr=err)
    assert ended.value.code == 1
    assert f"client {called.client.pk}: last_contact_at is None, its source gives 2026-09-10" in err.getvalue()
    assert f"client {called.other_client.pk}:" not in err.getvalue() and out.getvalue() == ""
    assert contact_of(called.client) is None, "a check writes nothing"


def test_the_command_corrects_and_then_everything_agrees(called):
    out = io.StringIO()
    call_command("rebuild_facts", stdout=out)
    assert "last_contact_at: 1 corrected" in out.getvalue()
    assert contact_of(called.client) == NOW
    out = io.StringIO()
    call_command("rebuild_facts", "--check", stdout=out)
    assert out.getvalue().strip().endswith("facts agree with their sources.")


def test_what_has_no_source_any_more_falls_back(called):
    Client.objects.filter(pk=called.other_client.pk).update(last_contact_at=NOW)
    assert rebuild(FACTS["last_contact_at"]) == 2
    assert (contact_of(called.client), contact_of(called.other_client)) == (NOW, None)


def test_the_last_contact_is_the_latest_call_or_own_letter(called):
    fields = {"client": called.client, "language": "de", "to_address": "x@example.com", "subject": "s", "body": "b"}
    Message.objects.create(**fields, created_at=NOW + 2 * HOUR)  # by the system: no contact
    rebuild(FACTS["last_contact_at"])
    assert contact_of(called.client) == NOW
    Message.objects.create(**fields, created_at=NOW + HOUR, sender=called.agent)
    rebuild(FACTS["last_contact_at"])
    assert contact_of(called.client) == NOW + HOUR


def test_one_client_is_rebuilt_without_the_others(called):
    Client.objects.filter(pk=called.other_client.pk).update(last_contact_at=NOW)
    facts.rebuild_client(called.client.pk, "last_contact_at")
    assert (contact_of(called.client), contact_of(called.other_client)) == (NOW, NOW)


def test_who_waits_for_their_turn_differs_from_nothing(called):
    one = FACTS["last_contact_at"]
    waits = replace(one, waiting=f"SELECT {called.client.pk}::bigint")
    assert [row[0] for row in differences(one)] == [called.client.pk]
    assert list(differences(waits)) == []


@pytest.mark.parametrize(("limit", "shown"), [(1, 1), (2, 2), (3, 2)])
def test_differences_are_listed_up_to_a_limit(called, limit, shown):
    Client.objects.filter(pk=called.other_client.pk).update(last_contact_at=NOW)
    assert len(list(differences(FACTS["last_contact_at"], limit=limit))) == shown


def test_a_fact_has_one_owner():
    with pytest.raises(ValueError, match="last_contact_at is written by clients; wallet can't"):
        facts.fact("last_contact_at", "Last contact", FieldType.MOMENT, owner="wallet", sql="SELECT 1, 2")
    assert FACTS["last_contact_at"].owner == "clients"

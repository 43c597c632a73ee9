"""A list of clients to call, one after the other: who is next, who can't be called now, and whose list it is."""

import pytest

from clients.models import Client, DialEntry, DialList, PhoneCall
from clients.telephony import dialing
from clients.telephony.choices import DoNotCallReason
from clients.telephony.do_not_call import mark
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent
from tests.brand_policies import set_policies
from tests.cast import make_client, signed_in
from tests.clients.telephony.running import AROUND_THE_CLOCK

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(cast) -> list[Client]:
    set_policies(cast.brand, calls_through_exchange=True, **AROUND_THE_CLOCK)
    names = ("Ann", "Ben", "Cas", "Dee")
    return [
        make_client(
            brand=cast.brand,
            book=cast.book,
            email=f"{name}@x.example",
            first_name=name,
            phone="+4915112345678",
            country="DE",
        )
        for name in names
    ]


def test_leads_are_called_one_after_the_other_from_their_list(cast, people):
    leads, registered = people[:2], people[2:]
    Client.objects.filter(pk__in=[row.pk for row in leads]).update(stage="lead")
    Client.objects.filter(pk__in=[row.pk for row in registered]).update(stage="registered")
    answer = signed_in(cast.agent).post("/leads/dial/", {"ids": [row.pk for row in people]})
    row = dialing.list_of(cast.agent)
    assert answer.url == "/phone/dial/" and row is not None
    assert set(row.entries.values_list("client_id", flat=True)) == {row.pk for row in leads}


def test_clients_are_called_one_after_the_other(cast, people, django_assert_max_num_queries):
    ann, ben, cas, dee = people
    mark(client_id=ben.pk, actor=cast.agent, reason=DoNotCallReason.ASKED)
    browser = signed_in(cast.agent)
    assert "No call list" in browser.get("/phone/dial/").content.decode()
    chosen = [row.pk for row in people] + [cast.other_client.pk]  # one of them out of reach
    browser.post("/phone/dial/new/", {"ids": chosen})
    row = dialing.list_of(cast.agent)
    assert row is not None and row.entries.count() == 4
    with django_assert_max_num_queries(24):
        page = browser.get("/phone/dial/").content.decode()
    assert "0 of 4 called" in page and "Ann" in page and "must not be called" in page
    assert AccessEvent.objects.get(target="clients.diallist").client_id == ann.pk
    PhoneCall.objects.bulk_create(
        [_ended_call(cast, ann)]  # what the exchange would have reported
    )
    assert dialing.progress_of(row, cast.agent).next == DialEntry.objects.get(dial_list=row, client=cas)
    browser.post(f"/phone/dial/{DialEntry.objects.get(dial_list=row, client=cas).pk}/skip/")
    progress = dialing.progress_of(row, cast.agent)
    assert (progress.called, progress.skipped, progress.left) == (1, 1, 2)
    assert progress.next is not None and progress.next.client == dee
    browser.post("/phone/dial/end/")
    assert dialing.list_of(cast.agent) is None


def test_a_list_is_its_persons_own_and_bounded(cast, people):
    row = dialing.start_list(actor=cast.agent, client_ids=[people[0].pk])
    entry = row.entries.get()
    for act in (
        lambda: dialing.skip_entry(entry_id=entry.pk, actor=cast.desk_head),
        lambda: dialing.end_list(list_id=row.pk, actor=cast.desk_head),
        lambda: dialing.start_list(actor=cast.marketing, client_ids=[people[0].pk]),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert signed_in(cast.desk_head).post(f"/phone/dial/{entry.pk}/skip/").status_code == 404
    for ids in ([], [cast.other_client.pk], list(range(1, 202))):
        with pytest.raises(DomainError):
            dialing.start_list(actor=cast.agent, client_ids=ids)
    dialing.start_list(actor=cast.agent, client_ids=[people[1].pk])
    assert DialList.objects.filter(owner=cast.agent, ended_at=None).count() == 1
    with pytest.raises(WrongState):
        dialing.skip_entry(entry_id=entry.pk, actor=cast.agent)


def _ended_call(cast, client) -> PhoneCall:
    from django.utils import timezone

    from clients.telephony.choices import PhoneState
    from tests.clients.telephony.running import make_exchange

    now = timezone.now()
    return PhoneCall(
        exchange=make_exchange(cast.brand, "http://127.0.0.1:9"),
        client=client,
        agent=cast.agent,
        direction="outbound",
        state=PhoneState.ENDED,
        sealed_number=PhoneCall.sealed("+4915112345678"),
        requested_at=now,
        ended_at=now,
    )

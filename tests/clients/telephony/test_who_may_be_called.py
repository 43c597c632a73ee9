"""Who must not be called isn't, and nobody is called at three at night where they live."""

import datetime as dt

import pytest

from clients.models import Client, DoNotCall, PhoneCall, TimelineEntry
from clients.telephony import calls, do_not_call, hours
from clients.telephony.choices import DoNotCallReason
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from tests.brand_policies import set_policies

pytestmark = pytest.mark.django_db
MONDAY = dt.date(2026, 3, 2)


def _at(hour: int, minute: int = 0, day: int = 0) -> dt.datetime:
    return dt.datetime.combine(MONDAY + dt.timedelta(days=day), dt.time(hour, minute), tzinfo=dt.UTC)


def _client(cast, **fields) -> Client:
    client = Client.objects.select_related("brand").get(pk=cast.client.pk)
    client.time_zone, client.country, client.phone = "", "", ""
    for name, value in fields.items():
        setattr(client, name, value)
    return client


@pytest.mark.parametrize(
    ("fields", "now", "local_hour"),
    [
        ({"time_zone": "Europe/Berlin"}, _at(9), None),
        ({"time_zone": "Europe/Berlin"}, _at(5), 8),  # six o'clock there
        ({"time_zone": "Europe/Berlin"}, _at(20), 8),  # nine in the evening: the policy's end
        ({"time_zone": "Asia/Tokyo"}, _at(13), 8),
        ({"country": "JP"}, _at(3), None),
        ({"phone": "+81312345678"}, _at(13), 8),
        ({"time_zone": "Nowhere/Land", "country": "DE"}, _at(9), None),
    ],
)
def test_the_clock_where_the_client_lives_decides(cast, fields, now, local_hour):
    at = hours.allowed_from(_client(cast, **fields), now)
    assert (at.hour if at else None) == local_hour


def test_a_country_with_many_zones_is_called_when_it_fits_in_all(cast):
    client = _client(cast, country="US")
    assert hours.allowed_from(client, _at(15)) is not None  # ten in New York, five in Hawaii
    assert hours.allowed_from(client, _at(20)) is None


def test_sunday_waits_for_monday(cast):
    client = _client(cast, time_zone="Europe/Berlin")
    assert hours.allowed_from(client, _at(10, day=-1)).date() == MONDAY
    set_policies(cast.brand, calls_on_sundays=True)
    client = _client(cast, time_zone="Europe/Berlin")
    assert hours.allowed_from(client, _at(10, day=-1)) is None


def test_hours_that_never_fit_say_so(cast):
    set_policies(cast.brand, call_hour_from=20, call_hour_until=8)
    client = _client(cast, time_zone="Europe/Berlin")
    assert hours.allowed_from(client, _at(10)) - _at(10) >= hours.AHEAD_MAX - hours.STEP


def test_outside_hours_the_refusal_says_until_when(cast, exchange):
    set_policies(cast.brand, call_hour_from=0, call_hour_until=1)
    Client.objects.filter(pk=cast.client.pk).update(time_zone="Pacific/Kiritimati")
    if hours.allowed_from(Client.objects.select_related("brand").get(pk=cast.client.pk)) is None:
        Client.objects.filter(pk=cast.client.pk).update(time_zone="Pacific/Pago_Pago")
    with pytest.raises(DomainError, match="Call from 00:00 on"):
        calls.start_call(client_id=cast.client.pk, actor=cast.agent)
    assert not PhoneCall.objects.exists()


def test_a_marked_client_is_not_called_until_who_leads_lifts_it(cast, exchange):
    row = do_not_call.mark(client_id=cast.client.pk, actor=cast.agent, reason=DoNotCallReason.ASKED, note="At work")
    assert (row.set_by, row.note) == (cast.agent, "At work")
    with pytest.raises(DomainError, match="must not be called: Client asked not to be called"):
        calls.start_call(client_id=cast.client.pk, actor=cast.agent)
    with pytest.raises(WrongState):
        do_not_call.mark(client_id=cast.client.pk, actor=cast.agent, reason=DoNotCallReason.OTHER)
    with pytest.raises(NotAllowed):
        do_not_call.lift(client_id=cast.client.pk, actor=cast.agent, reason="Changed their mind")
    with pytest.raises(DomainError):
        do_not_call.lift(client_id=cast.client.pk, actor=cast.desk_head, reason=" ")
    do_not_call.lift(client_id=cast.client.pk, actor=cast.desk_head, reason="Changed their mind")
    assert calls.start_call(client_id=cast.client.pk, actor=cast.agent).pk
    assert DoNotCall.objects.count() == 1 and TimelineEntry.objects.filter(client=cast.client).count() == 2
    assert AuditEvent.objects.filter(action__startswith="clients.do_not_call").count() == 2
    with pytest.raises(WrongState):
        do_not_call.lift(client_id=cast.client.pk, actor=cast.desk_head, reason="Again")


@pytest.mark.parametrize("who", ["other_agent", "auditor", "marketing"])
def test_the_wrong_role_marks_nobody(cast, who):
    with pytest.raises(NotAllowed):
        do_not_call.mark(client_id=cast.client.pk, actor=getattr(cast, who), reason=DoNotCallReason.ASKED)
    assert not DoNotCall.objects.exists()

"""Calling from the client's page: one dialog from click to outcome, with a bounded number of queries."""

import pytest

from clients.models import Call, DoNotCall, PhoneCall
from clients.telephony import hearing
from clients.telephony.choices import DoNotCallReason
from clients.telephony.do_not_call import mark
from tests.brand_policies import set_policies
from tests.cast import signed_in
from tests.clients.telephony.running import work

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def _phone(cast) -> str:
    return f"/clients/{cast.client.pk}/phone/"


def test_one_dialog_from_click_to_outcome(cast, sandbox, exchange):
    browser = signed_in(cast.agent)
    assert _phone(cast) in browser.get(f"/clients/{cast.client.pk}/").content.decode()
    start = browser.get(_phone(cast), headers=HTMX).content.decode()
    assert "Call now" in start and "+4915112345678" not in start
    live = browser.post(_phone(cast), headers=HTMX).content.decode()
    call = PhoneCall.objects.get()
    assert "Connecting" in live and f"k:live:phone:{call.pk}" in live and "Hang up" in live
    assert f"/phone/calls/{call.pk}/" in browser.get(_phone(cast), headers=HTMX).content.decode()
    work(call)
    sandbox.deliver()
    hearing.process_due()
    over = browser.get(f"/phone/calls/{call.pk}/?part=live", headers=HTMX).content.decode()
    assert "Call ended" in over and "hx-trigger" not in over and 'value="reached"' in over
    wrong = browser.post(f"/phone/calls/{call.pk}/", {"outcome": "", "notes": "x"}, headers=HTMX)
    assert wrong.status_code == 422
    done = browser.post(f"/phone/calls/{call.pk}/", {"outcome": "reached", "notes": "Wants MT5"}, headers=HTMX)
    assert done["HX-Redirect"] == f"/clients/{cast.client.pk}/"
    assert Call.objects.get().notes == "Wants MT5"
    assert "Wants MT5" in browser.get(f"/clients/{cast.client.pk}/").content.decode()


def test_without_a_phone_it_asks_for_one(cast, exchange):
    cast.agent.phone.delete()
    browser = signed_in(cast.agent)
    assert "Enter phone" in browser.get(_phone(cast), headers=HTMX).content.decode()
    browser.post("/phone/mine/", {"address": "+442071838752", "takes_unknown": "on"})
    assert "Call now" in browser.get(_phone(cast)).content.decode()


def test_a_refusal_is_shown_in_the_dialog(cast, exchange):
    mark(client_id=cast.client.pk, actor=cast.agent, reason=DoNotCallReason.ASKED)
    browser = signed_in(cast.agent)
    page = browser.get(_phone(cast), headers=HTMX).content.decode()
    assert "must not be called" in page and "Call now" not in page
    assert browser.post(_phone(cast), headers=HTMX).status_code == 422
    assert not PhoneCall.objects.exists()
    assert "Marked by Alice Tester" in browser.get(f"/clients/{cast.client.pk}/").content.decode()


def test_the_mark_is_set_and_lifted_from_the_clients_menu(cast):
    address = f"/clients/{cast.client.pk}/do-not-call/"
    signed_in(cast.agent).post(address, {"reason": "asked", "note": ""})
    assert DoNotCall.objects.get().set_by == cast.agent
    assert signed_in(cast.agent).post(address, {"reason": "x"}).status_code == 403
    signed_in(cast.desk_head).post(address, {"reason": "Changed their mind"})
    assert DoNotCall.objects.get().lifted_by == cast.desk_head


def test_calling_is_offered_where_the_brand_does_so(cast, exchange):
    set_policies(cast.brand, calls_through_exchange=False)
    page = signed_in(cast.agent).get(f"/clients/{cast.client.pk}/").content.decode()
    assert _phone(cast) not in page


def test_lists_and_pages_take_few_queries(cast, sandbox, exchange, django_assert_max_num_queries):
    browser = signed_in(cast.desk_head)
    for number in range(4):
        PhoneCall.objects.create(
            exchange=exchange,
            client=cast.client,
            agent=cast.agent,
            direction="inbound",
            state="ringing",
            leg_id=f"CA{number}",
            sealed_number=PhoneCall.sealed("+4915112345678"),
        )
    browser.get("/phone/calls/")
    with django_assert_max_num_queries(14):
        assert "Ringing" in browser.get("/phone/calls/").content.decode()
    call = PhoneCall.objects.first()
    with django_assert_max_num_queries(14):
        assert browser.get(f"/phone/calls/{call.pk}/").status_code == 200


def test_another_persons_client_is_not_there(cast, exchange):
    assert signed_in(cast.other_agent).get(_phone(cast)).status_code == 404


def test_exchanges_are_listed_with_their_address(cast, exchange):
    page = signed_in(cast.administrator).get("/phone/exchanges/").content.decode()
    assert "/webhooks/phone/twilio/" in page and "+442071838750" in page
    assert signed_in(cast.administrator).get("/phone/exchanges/new/").status_code == 200

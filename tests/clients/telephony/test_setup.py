"""An exchange is set up by two people; a person enters the phone that they are rung on."""

import pytest

from clients.canonical import country_of_phone
from clients.models import AgentPhone, PhoneExchange
from clients.telephony import setup
from clients.telephony.calls import start_call
from crm import approvals
from crm.choices import Role
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent
from tests.brand_policies import set_policies
from tests.cast import make_staff
from tests.clients.telephony.running import KEYS

pytestmark = pytest.mark.django_db


def _setup(**fields) -> setup.ExchangeSetup:
    values = {
        "adapter": "twilio",
        "code": "twilio",
        "name": "Twilio",
        "base_url": "sandbox:",
        "caller_number": "+442071838750",
        "is_enabled": True,
        "keys": KEYS,
    }
    return setup.ExchangeSetup(**{**values, **fields})


def test_two_people_set_an_exchange_up_and_its_keys_are_sealed(cast):
    wanted = setup.propose_exchange(
        brand_id=cast.brand.pk, setup=_setup(), actor=cast.administrator, reason="New contract"
    )
    second = make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand)
    approvals.approve(type(wanted), wanted.pk, actor=second)
    exchange = PhoneExchange.objects.get()
    assert (exchange.credentials, exchange.caller_number) == (KEYS, "+442071838750")
    assert KEYS["auth_token"].encode() not in bytes(exchange.sealed_credentials)


@pytest.mark.parametrize("number", ["", "0207 1838750", "+44", "nonsense"])
def test_our_number_has_its_country_code(cast, number):
    with pytest.raises(DomainError):
        setup.propose_exchange(
            brand_id=cast.brand.pk, setup=_setup(caller_number=number), actor=cast.administrator, reason="x"
        )


def test_the_connection_is_tested_with_our_keys(cast, sandbox, exchange):
    assert setup.test_connection(exchange_id=exchange.pk, actor=cast.administrator) == ""
    exchange.sealed_credentials = exchange.sealed({**KEYS, "auth_token": "wrong"})
    exchange.save()
    assert "Authenticate" in setup.test_connection(exchange_id=exchange.pk, actor=cast.administrator)
    with pytest.raises(NotAllowed):
        setup.test_connection(exchange_id=exchange.pk, actor=cast.agent)


@pytest.mark.parametrize(
    ("given", "kept"), [("+44 20 7183 8752", "+442071838752"), ("sip:anna@pbx.example.com", "sip:anna@pbx.example.com")]
)
def test_a_person_sets_their_own_phone(cast, given, kept):
    set_policies(cast.brand, agent_sip_hosts=["pbx.example.com"])
    setup.set_own_phone(actor=cast.agent, address=given)
    assert AgentPhone.objects.get(user=cast.agent).address == kept
    assert AuditEvent.objects.filter(action="clients.agent_phone_set").count() == 1


@pytest.mark.parametrize("given", ["", "1234", "sip:x", "javascript:alert(1)", "sip:a@b c"])
def test_what_is_no_phone_is_refused(cast, given):
    with pytest.raises(DomainError):
        setup.set_own_phone(actor=cast.agent, address=given)
    with pytest.raises(NotAllowed):
        setup.set_own_phone(actor=cast.marketing, address="+442071838752")
    assert not AgentPhone.objects.exists()


def test_own_phones_are_in_the_brands_countries_and_at_its_sip_hosts(cast, exchange):
    cast.brand.refresh_from_db()
    allowed = country_of_phone(exchange.caller_number)
    set_policies(cast.brand, agent_phone_countries=[])
    for given, why in (
        ("sip:anna@elsewhere.example", "elsewhere.example aren't allowed"),
        ("+449098790000", "Premium-rate"),
        ("+35722123456", f"Allowed: {allowed}"),
    ):
        with pytest.raises(DomainError, match=why):
            setup.set_own_phone(actor=cast.agent, address=given)
    set_policies(cast.brand, agent_phone_countries=["CY"])
    setup.set_own_phone(actor=cast.agent, address="+35722123456")
    set_policies(cast.brand, agent_phone_countries=["DE"])
    with pytest.raises(DomainError, match="Allowed: DE"):  # a phone from before the policy isn't rung
        start_call(client_id=cast.client.pk, actor=cast.agent)

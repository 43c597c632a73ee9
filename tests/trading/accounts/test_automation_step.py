"""An automation proposes an account type: to whom it is offered and who doesn't have it, with consent to marketing."""

import pytest

from clients.models import Client, Message
from crm.errors import DomainError
from leads.automations import verbs
from leads.automations.definition import new_definition
from leads.models import AutomationRunStep
from tests.cast import make_client
from tests.leads.automations.test_runs import live, open_all_day, register, work  # noqa: F401
from tests.trading.factories import make_account, make_server, make_type

pytestmark = pytest.mark.django_db


def test_it_goes_to_who_may_have_the_type_and_does_not(cast):
    server = make_server()
    account_type = make_type(cast.brand, server, name="Pro", kyc_level=1, excluded_countries=["FR"])
    fields = {"brand": cast.brand, "book": cast.book, "marketing_consent": True, "kyc_level": 1}
    glad, french, has, silent = (
        make_client(email=f"{name}@x.example", **{**fields, "country": country, "marketing_consent": consent})
        for name, country, consent in (("g", "DE", True), ("f", "FR", True), ("h", "DE", True), ("s", "DE", False))
    )
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=0)
    make_account(has, server, account_type=account_type)
    live(cast, {"action": "account_type", "options": {"account_type": account_type.pk}})
    register(glad, french, has, silent)
    work()
    found = dict(AutomationRunStep.objects.values_list("run__client_id", "reason"))
    assert found == {glad.pk: "", french.pk: "not_possible", has.pk: "already", silent.pk: "no_consent"}
    message = Message.objects.get(template="trading.account_type_proposed")
    assert (message.client, "Pro" in message.subject) == (glad, True)


def test_an_unknown_type_is_refused_when_saved(cast):
    draft = {**new_definition(), "steps": [{"action": "account_type", "options": {"account_type": 10**9}}]}
    with pytest.raises(DomainError, match="Step 1: Choose an account type that the brand offers"):
        verbs.create_automation(brand_id=cast.brand.pk, name="Types", actor=None, draft=draft)

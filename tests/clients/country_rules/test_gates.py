"""Each gate by the clients' country: accepted, refused, and what stays untouched when it is refused."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client as Browser

from clients.choices import CountryBand, Gate
from clients.models import Client, TimelineEntry
from compliance.models import CountryRisk
from compliance.risk_rating import rating
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent, Notification
from leads import imports, waiting
from leads.choices import Channel
from leads.models import Lead, LeadImportRow
from leads.sources import create_source
from portal.eligibility import problems, served_countries
from tests.brand_policies import set_policies
from tests.country_rules import set_country_rule
from tests.leads.conftest import campaign, capture, german_rule, landing_page
from tests.leads.test_api import post
from tests.leads.test_imports import silent
from tests.leads.test_landing_page import fill_in
from tests.trading.factories import make_server, make_type
from tests.wallet.conftest import outside
from tests.wallet.deposits.test_deposit import pay, start, wallet_balance
from tests.wallet.withdrawals.test_withdrawal import ask, outcome, rich
from trading.accounts.opening import request_account
from trading.models import TradingAccount
from wallet.choices.deposits import DepositState, HoldReason
from wallet.choices.withdrawals import CheckResult
from wallet.deposits.method_offers import judge
from wallet.deposits.verbs import release_held_deposit
from wallet.models import Deposit

__all__ = ["campaign", "capture", "german_rule", "landing_page", "outside", "rich"]
pytestmark = pytest.mark.django_db


# Leads


def test_a_refused_lead_is_stored_and_nobody_gets_it(cast, german_rule, capture):
    set_country_rule(cast.brand, "DE", refused=[Gate.LEAD])
    taken = capture()
    lead = Lead.objects.get(pk=taken.lead.pk)
    assert (lead.refusal, lead.assigned_to, lead.sla_due_at) == ("country", None, None)
    assert taken.refusal == "We don't offer our services to residents of Germany."
    assert (taken.client.owner, taken.client.email) == (None, "erika@web.de") and taken.client.book.is_pool
    assert not Notification.objects.filter(user=cast.agent).exists()
    assert "Lead refused" in TimelineEntry.objects.get(client=taken.client).title
    assert AuditEvent.objects.filter(action="leads.captured", client_id=taken.client.pk).count() == 1
    assert waiting.route_waiting(brand_id=cast.brand.pk).assigned == 0
    assert Lead.objects.get().assigned_to is None


def test_a_lead_from_elsewhere_or_of_another_brand_is_taken(cast, german_rule, capture):
    set_country_rule(cast.brand, "FR", refused=[Gate.LEAD])
    set_country_rule(cast.other_brand, "DE", refused=[Gate.LEAD])
    taken = capture()
    assert (taken.refusal, taken.lead.assigned_to) == ("", cast.agent)


def test_a_guessed_country_refuses_nobody(cast, german_rule, capture):
    """A browser in American English is no resident of the US."""
    taken = capture(country="", phone="", accept_language="en-US,en;q=0.9")
    assert taken.lead.country_guess == "US" and taken.refusal == ""


def test_a_known_clients_refused_enquiry_leaves_them_with_their_agent(cast, german_rule, capture):
    set_country_rule(cast.brand, "DE", refused=[Gate.LEAD])
    taken = capture(email=cast.client.email, phone="")
    cast.client.refresh_from_db()
    assert taken.is_duplicate and taken.client.pk == cast.client.pk and cast.client.owner == cast.agent
    assert taken.lead.assigned_to is None and not Notification.objects.filter(user=cast.agent).exists()


def test_staff_are_told_at_once_and_nothing_is_stored(cast, capture):
    set_country_rule(cast.brand, "DE", refused=[Gate.LEAD])
    with pytest.raises(DomainError, match="Germany"):
        capture(channel=Channel.MANUAL, actor=cast.agent)
    assert not Lead.objects.exists() and not Client.objects.filter(email="erika@web.de").exists()


def test_a_landing_page_says_it_and_keeps_the_enquiry(cast, german_rule, landing_page):
    set_country_rule(cast.brand, "DE", refused=[Gate.LEAD])
    answer, _typed = fill_in(Browser())
    assert answer.status_code == 422 and "bieten unsere Dienste" in answer.content.decode()
    assert Lead.objects.get().refusal == "country"


def test_the_api_answers_refused_with_the_reason(cast, german_rule):
    set_country_rule(cast.brand, "DE", refused=[Gate.LEAD])
    _source, key = create_source(brand=cast.brand, name="One", code="one", actor=cast.administrator)
    answer = post(key)
    assert answer.status_code == 201
    assert (answer.json()["status"], "Germany" in answer.json()["reason"]) == ("refused", True)
    assert post(key, {"email": "b@web.de", "phone": "", "country": "AT"}).json()["status"] == "accepted"
    assert Lead.objects.count() == 2


FILE = """email;country;last_name
anna@web.de;DE;Meier
lena@web.de;AT;Huber
clara@example.com;DE;Weber
"""


def test_an_import_sets_refused_lines_aside_and_judges_again_when_it_runs(cast, german_rule):
    set_country_rule(cast.brand, "DE", refused=[Gate.LEAD])
    options = imports.ImportOptions(language="de")
    batch = imports.start_import(
        brand=cast.brand, actor=cast.desk_head, file_name="x.csv", content=FILE.encode(), options=options
    )
    imports.check(batch, silent)
    assert batch.counts == {"new": 1, "refused": 2}
    row = LeadImportRow.objects.get(batch=batch, line=2)
    assert row.errors[0]["column"] == "country" and "Germany" in row.errors[0]["message"]
    imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    set_country_rule(cast.brand, "DE")
    set_country_rule(cast.brand, "AT", refused=[Gate.LEAD])
    batch.refresh_from_db()
    imports.run(batch, silent)
    assert batch.counts == {"new": 1, "known": 1, "refused": 1}
    assert Lead.objects.filter(client__email="anna@web.de").count() == 1
    assert list(LeadImportRow.objects.filter(batch=batch).values_list("email", "verdict")) == [
        ("lena@web.de", "refused")
    ]


# Registration


def test_registration_asks_the_rule(cast):
    assert "DE" in dict(served_countries(cast.brand)) and "RU" not in dict(served_countries(cast.brand))
    set_country_rule(cast.brand, "DE", refused=[Gate.REGISTRATION])
    assert "DE" not in dict(served_countries(cast.brand))
    assert problems(cast.brand, country="DE", date_of_birth=None)[0].field == "country"
    assert not problems(cast.brand, country="AT", date_of_birth=None)
    assert not problems(cast.other_brand, country="DE", date_of_birth=None)


# Deposits


def test_a_refused_deposit_is_not_started(cast, outside):
    set_country_rule(cast.brand, "DE", refused=[Gate.DEPOSIT])
    with pytest.raises(NotAllowed, match="Germany"):
        start(cast, outside)
    assert not Deposit.objects.exists()
    cast.client.refresh_from_db()
    assert {offer.refusal for offer in judge(cast.client, "EUR")} == {
        "The brand's country and age rules don't let the client deposit."
    }


def test_money_that_arrives_after_a_change_is_held_for_a_person(cast, outside):
    deposit = start(cast, outside)
    set_country_rule(cast.brand, "DE", refused=[Gate.DEPOSIT])
    pay(deposit)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.hold_reasons) == (DepositState.HELD, [HoldReason.COUNTRY])
    assert wallet_balance(cast) == 0
    release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="Paid before the change")
    assert wallet_balance(cast) == 50_000


def test_a_change_of_residence_is_judged_on_the_next_request(cast, outside):
    set_country_rule(cast.brand, "CH", refused=[Gate.DEPOSIT])
    assert start(cast, outside).state == DepositState.CREATED
    Client.objects.filter(pk=cast.client.pk).update(country="CH")
    with pytest.raises(NotAllowed, match="Switzerland"):
        start(cast, outside, key="k2")


# Trading accounts


@pytest.fixture
def account_type(cast):
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=1)
    return make_type(cast.brand, make_server())


def open_one(cast, account_type, key, actor=None):
    return request_account(client_id=cast.client.pk, account_type_id=account_type.pk, request_key=key, actor=actor)


def test_no_account_is_opened_for_a_refused_country(cast, account_type):
    assert open_one(cast, account_type, "k1").pk
    set_country_rule(cast.brand, "DE", refused=[Gate.TRADING])
    for number, actor in enumerate([None, cast.client_user, cast.agent, cast.administrator]):
        with pytest.raises(NotAllowed):
            open_one(cast, account_type, f"no{number}", actor)
    assert TradingAccount.objects.count() == 1
    set_country_rule(cast.brand, "DE")
    assert open_one(cast, account_type, "k2").pk


# Withdrawals


def test_a_refused_withdrawal_goes_to_a_person_and_is_never_stopped(rich, outside):
    set_policies(rich.brand, withdrawal_auto_approve_minor=50_000)
    assert ask(rich, outside, "10").state == "approved"
    set_country_rule(rich.brand, "DE", refused=[Gate.WITHDRAWAL])
    waiting = ask(rich, outside, "10", key="k2")
    assert (waiting.state, outcome(waiting, "country")) == ("requested", CheckResult.REVIEW)
    assert "Germany" in waiting.checks.get(name="country").reason


# Risk


def test_the_band_counts_in_the_risk_rating_where_no_list_has_the_country(cast):
    def codes() -> set[str]:
        return set(rating.assess(client_id=cast.client.pk).factors)

    assert not codes() & {"country_high", "country_prohibited"}
    set_country_rule(cast.brand, "DE", band=CountryBand.HIGH)
    assert "country_high" in codes()
    set_country_rule(cast.brand, "DE", band=CountryBand.PROHIBITED)
    assert "country_prohibited" in codes()
    CountryRisk.objects.create(country="DE", level="grey", valid=DateRange(dt.date(2026, 1, 1), None), source="FATF")
    assert {code for code in codes() if code.startswith(("country", "residence"))} == {"residence_grey"}

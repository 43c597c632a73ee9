"""Ages, products, sign-in and exemptions at each gate, and a preview that equals what then happens."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone, translation

from clients.choices import Category, Gate, Product, Stage
from clients.country_rules.changes import propose_country_rules
from clients.country_rules.exemptions import propose_exemption
from clients.country_rules.gates import OF_CLIENTS, cause_of, may, may_have, refused_q, years_before
from clients.country_rules.preview import NO_CLIENTS, SAMPLE, WHAT, preview
from clients.country_rules.rules import Limits, rule_of
from clients.models import Client, CountryRuleProposal, Exemption, TimelineEntry
from crm.brand_policies.registry import today
from crm.due import sweep
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from portal.eligibility import problems
from tests.cast import signed_in
from tests.country_rules import exempt, set_country_rule
from tests.kyc.categories.factories import categorise
from tests.trading.factories import make_server, make_type
from trading.models import PlatformGroup
from trading.policies import can_open_account
from wallet.bonuses.granting import may_have_bonus
from wallet.deposits.policies import can_deposit

pytestmark = pytest.mark.django_db


def client_of(cast, **fields) -> Client:
    Client.objects.filter(pk=cast.client.pk).update(**fields)
    return Client.objects.select_related("brand").get(pk=cast.client.pk)


def born(cast, years: int) -> dt.date:
    return years_before(today(cast.brand), years)


def test_each_gate_and_product_by_country_age_and_category(cast):
    limits = Limits(21, 75, frozenset({"bonus"}), frozenset({"cfd"}))
    set_country_rule(cast.brand, "DE", refused=[Gate.LOGIN], limits=limits)
    young, old = {Gate.DEPOSIT, Gate.TRADING}, {Gate.DEPOSIT, Gate.TRADING}
    for birth, refused in ((born(cast, 20), young), (born(cast, 21), set()), (born(cast, 75), old), (None, set())):
        for category in Category:
            client = client_of(cast, date_of_birth=birth)
            client.category = category
            assert {gate for gate in OF_CLIENTS if not may(client, gate)} == refused | {Gate.LOGIN}
            kept = {Product.BONUS, *([Product.CFD] if category == Category.RETAIL else [])}
            assert {product for product in Product if not may_have(client, product)} == kept
    one_day_short = client_of(cast, date_of_birth=born(cast, 21) + dt.timedelta(days=1))
    refusal = can_deposit(one_day_short.user, one_day_short)
    assert not refusal and "21" in refusal.reason and "contact support" in refusal.reason
    assert not may_have_bonus(client_of(cast, kyc_level=1))
    assert problems(cast.brand, country="DE", date_of_birth=born(cast, 20))[0].field == "date_of_birth"
    assert not problems(cast.brand, country="DE", date_of_birth=born(cast, 80))
    with translation.override("de"):
        assert "Support" in may(client_of(cast, date_of_birth=born(cast, 76)), Gate.DEPOSIT).reason


def test_no_crypto_for_retail_keeps_accounts_with_crypto(cast):
    set_country_rule(cast.brand, "DE", limits=Limits(not_for_retail=frozenset({"crypto_cfd"})))
    client = client_of(cast, kyc_level=1)
    account_type = make_type(cast.brand, make_server())
    assert can_open_account(client.user, client, account_type)
    PlatformGroup.objects.update_or_create(
        server=account_type.server,
        name=account_type.group,
        defaults={"class_margins": {"crypto": {"rate": "1"}}, "read_at": timezone.now()},
    )
    assert "crypto-assets" in can_open_account(client.user, client, account_type).reason
    client.category = Category.PROFESSIONAL
    assert can_open_account(client.user, client, account_type)
    set_country_rule(cast.brand, "DE", limits=Limits(not_for_retail=frozenset({"cfd"})))
    client = client_of(cast)
    assert not can_open_account(client.user, client, account_type)
    exempt(cast, Gate.TRADING)
    assert can_open_account(client.user, client, account_type)


def test_a_product_is_offered_from_an_age_on(cast):
    limits = Limits(product_age=25, not_below_age=frozenset({"crypto_cfd", "bonus"}))
    set_country_rule(cast.brand, "DE", limits=limits)
    young, old = (client_of(cast, date_of_birth=born(cast, age)) for age in (24, 25))
    for product, is_offered in ((Product.CFD, True), (Product.CRYPTO_CFD, False), (Product.BONUS, False)):
        assert bool(may_have(young, product)) is is_offered and may_have(old, product)
    assert "from the age of 25" in may_have(young, Product.BONUS).reason
    assert may_have(client_of(cast, date_of_birth=None), Product.BONUS)  # unknown: registration asks for it
    exempt(cast, Gate.TRADING)
    assert may_have(young, Product.CRYPTO_CFD) and not may_have(young, Product.BONUS)


def test_sign_in_is_refused_on_the_next_request(cast):
    browser = signed_in(cast.client_user)
    assert browser.get(reverse("portal")).status_code == 200
    set_country_rule(cast.brand, "DE", refused=[Gate.LOGIN])
    page = browser.get(reverse("portal"))
    assert page.status_code == 403 and "residents of Germany" in page.content.decode()
    assert cast.brand.support_email in page.content.decode()
    exempt(cast, Gate.LOGIN)
    assert browser.get(reverse("portal")).status_code == 200


def test_an_exemption_ends_after_its_last_day(cast):
    set_country_rule(cast.brand, "DE", refused=[Gate.DEPOSIT, Gate.TRADING])
    made = exempt(cast, Gate.DEPOSIT, days=2)
    client = client_of(cast)
    assert may(client, Gate.DEPOSIT) and not may(client, Gate.TRADING)
    with time_machine.travel(timezone.now() + dt.timedelta(days=2), tick=False):
        assert may(client, Gate.DEPOSIT)
    with time_machine.travel(timezone.now() + dt.timedelta(days=3, hours=1), tick=False):
        assert not may(client, Gate.DEPOSIT)
        sweep()
        sweep()
    assert AuditEvent.objects.filter(action="clients.exemption_ended", target_id=str(made.pk)).count() == 1
    titles = TimelineEntry.objects.filter(client=client, title__startswith="Exempt").values_list("title", flat=True)
    assert len(titles) == 2
    exempt(cast, Gate.DEPOSIT)
    exempt(cast)
    assert not may(client, Gate.DEPOSIT)


def test_impossible_exemptions_are_refused(cast):
    day = today(cast.brand)
    given = {"client_id": cast.client.pk, "actor": cast.mlro, "reason": "Known to us"}
    wrong = [
        (["lead"], day),
        (["deposit"], None),
        (["deposit"], day - dt.timedelta(days=1)),
        (["deposit"], day + dt.timedelta(days=367)),
    ]
    for gates, ends_on in wrong:
        with pytest.raises(DomainError):
            propose_exemption(gates=gates, ends_on=ends_on, **given)
    with pytest.raises(WrongState):
        propose_exemption(gates=[], ends_on=None, **given)
    for actor in (cast.agent, cast.finance, cast.auditor):
        with pytest.raises(NotAllowed):
            propose_exemption(gates=["deposit"], ends_on=day, **{**given, "actor": actor})
    assert not Exemption.objects.exists()
    cfd = frozenset({"cfd"})
    alone = (Limits(product_age=25), Limits(not_below_age=cfd), Limits(30, product_age=30, not_below_age=cfd))
    for limits in (Limits(17), Limits(121), Limits(30, 30), Limits(not_offered=frozenset({"gold"})), *alone):
        with pytest.raises(DomainError):
            propose_country_rules(
                brand_id=cast.brand.pk,
                countries=["DE"],
                band="high",
                accepted=[],
                effective_on=day,
                limits=limits,
                actor=cast.mlro,
                reason="For this test",
            )
    assert not CountryRuleProposal.objects.exists()


def test_pages_propose_and_list_an_exemption(cast):
    set_country_rule(cast.brand, "DE", refused=[Gate.DEPOSIT])
    browser, address = signed_in(cast.mlro), reverse("client_exemption", args=[cast.client.pk])
    assert "Deposits: Germany isn" in browser.get(address).content.decode()
    typed = {"gates": ["deposit"], "ends_on": today(cast.brand), "reason": "Moves back next month"}
    for missing in ("gates", "ends_on", "reason"):
        assert browser.post(address, {**typed, missing: ""}).status_code == 422
    assert browser.post(address, typed).status_code == 302
    assert "Moves back next month" in browser.get(reverse("exemptions")).content.decode()
    assert "It awaits a second approval" in browser.get(f"/clients/{cast.client.pk}/").content.decode()


# The preview


@pytest.fixture
def people(cast) -> list[Client]:
    """Clients of each country, age, category and stage that a rule tells apart."""
    ages = (None, born(cast, 19), born(cast, 40), born(cast, 80))
    rows = itertools.product(("DE", "AT", "US", ""), ages, range(2))
    stages = itertools.cycle([Stage.LEAD, Stage.REGISTERED, Stage.ACTIVE, Stage.CLOSED])
    made = [
        Client(
            brand=cast.brand,
            book=cast.book,
            country=country,
            date_of_birth=birth,
            stage=stage,
            net_deposits=number,
            created_at=timezone.now(),
            registered_at=None if stage == Stage.LEAD else timezone.now(),
        )
        for number, ((country, birth, _category), stage) in enumerate(zip(rows, stages, strict=False))
    ]
    Client.objects.bulk_create(made)
    for client in made[1::2]:
        categorise(client, Category.PROFESSIONAL)
    return made


RULES = [
    (["DE"], {"accepted": ["withdrawal"]}),
    (["DE", "AT"], {"accepted": [gate.value for gate in Gate], "minimum_age": 21, "approval_age": 75}),
    (["US"], {"accepted": [gate.value for gate in Gate], "not_for_retail": ["cfd", "bonus"]}),
    (["DE", "AT"], {"accepted": [gate.value for gate in Gate], "product_age": 35, "not_below_age": ["cfd", "bonus"]}),
    ([""], {"accepted": ["login"], "not_offered": ["crypto_cfd"]}),
    (["DE"], {"band": ""}),
]


@pytest.mark.parametrize("number", range(len(RULES)))
def test_a_preview_equals_what_then_happens(cast, people, number):
    set_country_rule(cast.brand, "DE", refused=[Gate.LOGIN], limits=Limits(30, None, frozenset({"cfd"})))
    known = next(client for client in people if client.country == "DE" and client.stage == Stage.ACTIVE)
    exempt(cast, Gate.DEPOSIT, Gate.TRADING, client=known)
    countries, terms = RULES[number]
    terms = {"band": "high", **terms}
    proposal = CountryRuleProposal(effective_on=today(cast.brand), **terms)
    seen = preview(cast.brand, countries, proposal, cast.mlro)

    def passing() -> set[tuple[int, str]]:
        day, passed = today(cast.brand), set()
        for client in Client.objects.filter(brand=cast.brand).exclude(stage__in=NO_CLIENTS).select_related("brand"):
            for what in WHAT:
                if what is not Gate.REGISTRATION and (may_have if isinstance(what, Product) else may)(client, what):
                    passed.add((client.pk, what.value))
        for lead in Client.objects.filter(brand=cast.brand, stage=Stage.LEAD).select_related("brand"):
            if cause_of(lead, Gate.REGISTRATION, rule_of(lead.brand, lead.country), day) is None:
                passed.add((lead.pk, "registration"))
        return passed

    before = passing()
    set_country_rule(cast.brand, *countries, **_written(terms), on=today(cast.brand))
    after = passing()
    lost, won = before - after, after - before
    for line in seen.lines:
        assert line.stopped == sum(what == line.what for _pk, what in lost), line.what
        assert line.freed == sum(what == line.what for _pk, what in won), line.what
    for figures in (seen.countries, seen.stages):
        assert sum(stopped for _key, stopped, _freed in figures) == len({pk for pk, _what in lost})
        assert sum(freed for _key, _stopped, freed in figures) == len({pk for pk, _what in won})
    labels = {str(what.label): what.value for what in WHAT}
    assert len(seen.sample) == min(SAMPLE, len({pk for pk, _what in lost | won}))
    for client, stopped, freed in seen.sample:
        assert {labels[str(label)] for label in stopped} == {what for pk, what in lost if pk == client.pk}
        assert {labels[str(label)] for label in freed} == {what for pk, what in won if pk == client.pk}


def _written(terms) -> dict:
    limits = Limits(
        terms.get("minimum_age"),
        terms.get("approval_age"),
        frozenset(terms.get("not_offered", ())),
        frozenset(terms.get("not_for_retail", ())),
        terms.get("product_age"),
        frozenset(terms.get("not_below_age", ())),
    )
    refused = [gate for gate in Gate if gate not in terms.get("accepted", ())]
    return {"refused": refused, "band": terms["band"], "limits": limits}


def test_the_preview_costs_the_same_for_all_countries(cast, people, django_assert_max_num_queries):
    proposal = CountryRuleProposal(effective_on=today(cast.brand), band="high", accepted=[])
    with django_assert_max_num_queries(8):
        seen = preview(cast.brand, [""], proposal, cast.mlro)
    assert len(seen.countries) > 2 and seen.sample
    browser = signed_in(cast.mlro)
    typed = {"countries": ["DE", "others"], "band": "prohibited", "effective_on": today(cast.brand), "preview": "1"}
    page = browser.post(reverse("brand_countries_change", args=[cast.brand.pk]), typed)
    assert page.status_code == 200 and "What this rule would do today" in page.content.decode()
    assert not CountryRuleProposal.objects.exists()


def test_february_29_is_counted_as_the_calendar_does(cast):
    set_country_rule(cast.brand, "DE", limits=Limits(21))
    for day in (dt.date(2028, 2, 29), dt.date(2029, 2, 28), dt.date(2029, 3, 1)):
        for birth in (dt.date(2007, 2, 28), dt.date(2008, 2, 28), dt.date(2008, 2, 29), dt.date(2008, 3, 1)):
            client = client_of(cast, date_of_birth=birth)
            rule = rule_of(client.brand, "DE")
            refused = cause_of(client, Gate.DEPOSIT, rule, day) is not None
            by_filter = Client.objects.filter(refused_q(Gate.DEPOSIT, rule, client.brand, day), pk=client.pk).exists()
            assert by_filter == refused

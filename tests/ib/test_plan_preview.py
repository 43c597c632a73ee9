"""The editor's preview against the engine itself, and what the editor shows, checks and keeps."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ib import engine, plans
from ib.agreements import cards
from ib.choices import Reason
from ib.models import Accrual, Plan, PlanVersion
from ib.plan_editor.preview import preview
from ib.plan_editor.templates import TEMPLATES
from tests.examples import examples
from tests.ib.factories import LONG_AGO, SYMBOLS, card, make_trade, make_version
from tests.ib.test_pages import rate_form, text_of

pytestmark = pytest.mark.django_db
money = st.decimals(min_value=0, max_value=500, places=8)
made_cards = st.builds(
    cards.RateCard,
    rates=st.dictionaries(st.sampled_from(["fx_majors", "metals"]), money, min_size=1),
    shares=st.dictionaries(st.integers(1, 4), st.decimals(min_value=0, max_value=1, places=8), min_size=1),
    overrides=st.dictionaries(st.tuples(st.sampled_from(["fx_majors", "metals"]), st.integers(1, 4)), money),
)


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(made=made_cards, symbol=st.sampled_from(["EURUSD", "XAUUSD", "DE40"]), lots=st.decimals("0.01", 50, places=8))
@example(made=card({"fx_majors": "0.33333333"}, {1: "0.33333333", 3: "0.1"}), symbol="EURUSD", lots=Decimal("0.07"))
@example(made=card({"metals": "9"}, {1: "1"}, {("fx_majors", 3): "2"}), symbol="EURUSD", lots=Decimal(1))
def test_the_preview_is_what_the_engine_pays(network, cast, made, symbol, lots):
    """Every level, every reason and every digit, for cards with holes and amounts that have to be cut."""
    with transaction.atomic():  # each example starts from the same world
        version = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=made, is_pool=False)
        plans.assign_plan(
            partner_id=network.sub.pk, plan_id=version.plan_id, actor=None, at=LONG_AGO + dt.timedelta(days=1)
        )
        deal = make_trade(network.account, lots=str(lots), symbol=symbol)
        engine.run_for_deals(deal_ids=[deal])
        rows = Accrual.objects.filter(deal_id=deal).order_by("level")
        paid = list(rows.values_list("level", "rate_amount", "reason"))
        transaction.set_rollback(True)
    shown = preview(made, group=SYMBOLS[symbol], lots=lots, depth=3)
    assert all(pay.per_lot == pay.amount == 0 for pay in shown if pay.reason in (Reason.NO_RATE, Reason.BEYOND_LEVELS))
    assert [(pay.level, pay.amount, str(pay.reason)) for pay in shown] == paid


@pytest.fixture
def editor(network, cast, browse):
    plan = plans.create_plan(brand=cast.brand, name="Silver", description="", actor=cast.ib_manager)
    return browse(cast.ib_manager), reverse("ib_version_new", args=[plan.pk]), plan


@pytest.mark.parametrize("code", list(TEMPLATES))
def test_a_plan_starts_from_a_template_that_can_be_saved(network, cast, browse, code):
    browser = browse(cast.ib_manager)
    data = {"brand": cast.brand.pk, "name": f"From {code}", "description": "", "start": code}
    answer = browser.post(reverse("ib_plan_new"), data)
    page = browser.get(answer["Location"])
    form, template = page.context["form"], TEMPLATES[code]
    fields = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "", False)}
    fields["starts_at"] = "2027-01-01T00:00"
    browser.post(answer["Location"], fields)
    version = PlanVersion.objects.filter(plan__name=f"From {code}").first()
    assert (version is None) == (code == "empty")
    if version is not None:
        kept = cards.rate_card(version)
        assert (kept, version.is_pool) == (template.card, template.is_pool) and version.currency == "EUR"


def test_a_plan_starts_as_a_copy(network, cast, browse):
    browser = browse(cast.ib_manager)
    data = {"brand": cast.brand.pk, "name": "Copy", "start": "rebate", "copy": network.version.pk}
    page = browser.get(browser.post(reverse("ib_plan_new"), data)["Location"])
    assert page.context["editor"].levels == 3 and page.context["form"].initial["share_2"] == 30
    assert Plan.objects.get(name="Copy").versions.count() == 0


def test_nobody_copies_a_plan_they_do_not_see(network, cast, browse):
    foreign = Plan.objects.create(brand=cast.other_brand, name="Theirs")
    version = PlanVersion.objects.create(
        plan=foreign, number=1, made_by=cast.finance, starts_at=LONG_AGO, currency="EUR"
    )
    browser = browse(cast.ib_manager)
    data = {"brand": cast.brand.pk, "name": "Copy", "copy": version.pk}
    assert browser.post(reverse("ib_plan_new"), data).status_code == 422
    own = Plan.objects.get(pk=network.version.plan_id)
    assert browser.get(reverse("ib_version_new", args=[own.pk]), {"copy": version.pk}).status_code == 404


def test_only_levels_and_groups_in_use_are_shown(editor):
    browser, address, _plan = editor
    page = browser.get(address, {"start": "shared"})
    assert page.context["editor"].levels == 3 and len(page.context["editor"].groups) == 4
    assert 'name="share_4"' not in page.content.decode() and 'name="rate_crypto"' not in page.content.decode()


def test_levels_and_groups_are_added_and_removed_without_saving(editor):
    browser, address, plan = editor
    sent = {**rate_form(), "levels": "2", "groups": ["fx_majors"]}
    page = browser.post(address, {**sent, "add_level": "1"})
    assert page.status_code == 200 and page.context["editor"].levels == 3
    page = browser.post(address, {**sent, "add_group": "crypto"})
    assert page.context["editor"].groups == ["fx_majors", "crypto"] and 'value="12"' in page.content.decode()
    page = browser.post(address, {**sent, "remove_level": "1"})
    assert page.context["editor"].levels == 1 and 'name="share_2"' not in page.content.decode()
    page = browser.post(address, {**sent, "groups": ["fx_majors", "crypto"], "remove_group": "fx_majors"})
    assert page.context["editor"].groups == ["crypto"] and "rate_fx_majors" not in page.content.decode()
    assert plan.versions.count() == 0


def test_the_check_says_every_problem_while_one_types(editor):
    browser, address, plan = editor
    page = browser.post(address, {**rate_form(share_1="90", rate_metals="-1"), "check": "1"})
    problems = " ".join(page.context["check"].problems)
    assert "FX majors: the levels add up to 14.30 per lot, which exceeds the total of 12.00" in problems
    assert "Metals, per lot" in problems and page.status_code == 200 and plan.versions.count() == 0
    page = browser.post(address, {**rate_form(share_2="20", fixed_fx_majors_2=""), "check": "1"})
    assert page.context["check"].problems == [] and "add up to 90 %" in page.context["check"].remarks[0]
    page = browser.post(address, {**rate_form(share_1="90", is_pool=""), "check": "1"})
    assert page.context["check"].problems == [] and "more than the rate" in page.context["check"].remarks[0]


def test_the_preview_names_the_trade_and_each_payment(editor):
    browser, address, _plan = editor
    trade = {"preview-symbol": "EURUSD", "preview-lots": "2", "preview-depth": "2", "check": "1"}
    text = text_of(browser.post(address, {**rate_form(), **trade}))
    assert "2 lots EURUSD by a client at level 2 pay €23.80" in text
    assert "Referring partner €16.80" in text and "Partner above €7.00" in text


@pytest.mark.parametrize(
    "changes", [{"levels": "99999999999"}, {"levels": "-1"}, {"add_group": "<x>"}, {"preview-lots": "NaN"}]
)
def test_impossible_input_shows_the_editor_again(editor, changes):
    browser, address, plan = editor
    assert browser.post(address, {**rate_form(), "check": "1", **changes}).status_code == 200
    assert plan.versions.count() == 0


def test_waiting_versions_name_their_brand_and_offer_review_to_who_may(network, cast, browse):
    version = PlanVersion.objects.create(
        plan=network.version.plan,
        number=2,
        made_by=cast.ib_manager,
        starts_at=LONG_AGO,
        currency="EUR",
        state="pending",
    )
    title = f"{cast.brand} · {version}"
    cases = [(cast.finance, "awaiting your approval", True), (cast.ib_manager, "awaiting second approval", False)]
    for person, words, has_review in cases:
        page = browse(person).get(reverse("ib_plans"))
        assert f"{title}: {words}" in text_of(page)
        assert (">Review</a>" in page.content.decode()) == has_review

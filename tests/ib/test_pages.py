import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core import mail
from django.urls import reverse
from guardian.shortcuts import assign_perm

from crm.models import AccessEvent, OutgoingMail, User
from crm.notices import mail as crm_mail
from ib import engine, plans, settlement
from ib.models import Accrual, AttributionProposal, Partner, PlanVersion, ReferralDay, Settlement, SettlementPeriod
from tests.ib.factories import NOON, make_partner, make_trade, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def earned(network):
    """One paid and one unpaid trade of the sub's client, accrued."""
    paid = make_trade(network.account, lots="0.5")
    short = make_trade(network.account, held_seconds=30, at=NOON + dt.timedelta(hours=1))
    engine.run_for_deals(deal_ids=[paid, short])
    return network


@pytest.fixture
def settled(earned, cast):
    period = SettlementPeriod.objects.get(starts_at__lte=NOON, ends_at__gt=NOON)
    settlement.settle_period(period_id=period.pk, actor=cast.finance)
    return earned


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("partner_home", 28),
        ("partner_network", 20),
        ("partner_clients", 16),
        ("partner_earnings", 14),
        ("partner_links", 12),
        ("partner_payouts", 20),
    ],
)
def test_a_partners_pages_open_in_a_bounded_number_of_queries(
    settled, browse, name, limit, django_assert_max_num_queries
):
    browser = browse(settled.sub.user)
    browser.get(reverse(name))
    with django_assert_max_num_queries(limit):
        assert browser.get(reverse(name)).status_code == 200


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("ib_partners", 18),
        ("ib_plans", 18),
        ("ib_accruals", 18),
        ("ib_exclusions", 20),
        ("ib_periods", 18),
        ("ib_runs", 16),
    ],
)
def test_staff_pages_open_in_a_bounded_number_of_queries(
    settled, cast, browse, name, limit, django_assert_max_num_queries
):
    browser = browse(cast.finance)
    browser.get(reverse(name))
    with django_assert_max_num_queries(limit):
        assert browser.get(reverse(name)).status_code == 200


def test_a_partners_page_costs_the_same_however_many_partners_stand_below(
    earned, cast, browse, django_assert_max_num_queries
):
    for _n in range(12):
        make_partner(cast.brand, parent=earned.top)
    browser = browse(cast.ib_manager)
    address = reverse("ib_partner_tab", args=[earned.top.pk, "network"])
    browser.get(address)
    with django_assert_max_num_queries(26):
        assert browser.get(address).status_code == 200


@pytest.mark.parametrize("tab", ["", "network", "clients", "commissions", "settlements"])
def test_staff_see_every_tab_of_a_partner(settled, cast, browse, tab):
    name, args = ("ib_partner_tab", [settled.sub.pk, tab]) if tab else ("ib_partner", [settled.sub.pk])
    response = browse(cast.ib_manager).get(reverse(name, args=args))
    assert response.status_code == 200 and settled.sub.name in response.content.decode()


def test_a_trade_is_explained_to_its_partner(earned, browse):
    row = Accrual.objects.get(partner=earned.sub, state="accrued")
    text = text_of(browse(earned.sub.user).get(reverse("partner_trade", args=[row.pk])))
    assert "0.5 lots × 10 EUR per lot × 60 % for level 1" in text and "3 EUR" in text


def test_an_unpaid_trade_says_why_to_its_partner(earned, browse):
    row = Accrual.objects.get(partner=earned.sub, state="excluded")
    text = text_of(browse(earned.sub.user).get(reverse("partner_trade", args=[row.pk])))
    assert "closed after 30 seconds" in text and "requires at least 180 seconds" in text
    assert "Trades held at least as long as the plan states are paid." in text


def test_a_partner_sees_nobody_elses_trades_and_settlements(settled, cast, browse):
    stranger = browse(make_partner(cast.brand).user)
    row = Accrual.objects.filter(partner=settled.sub).first()
    paid = Settlement.objects.get(partner=settled.sub)
    for address in (
        reverse("partner_trade", args=[row.pk]),
        reverse("partner_settlement", args=[paid.pk]),
        reverse("partner_branch", args=[settled.sub.pk]),
    ):
        assert stranger.get(address).status_code == 404


def test_a_partner_gets_no_contacts_and_of_clients_further_down_not_even_names(earned, browse):
    own = browse(earned.sub.user).get(reverse("partner_clients")).content.decode()
    assert "Clara W." in own and "clara@example.com" not in own and "Weber" not in own
    above = browse(earned.top.user).get(reverse("partner_earnings")).content.decode()
    assert "Clara" not in above and f"Client of {earned.sub.name}" in above


def test_the_settlement_page_leads_from_the_payment_to_the_trades(settled, browse):
    paid = Settlement.objects.get(partner=settled.sub)
    response = browse(settled.sub.user).get(reverse("partner_settlement", args=[paid.pk]))
    text = text_of(response)
    assert "1 trade, 0.5 lots" in text and "€3.00" in text
    # Its path and the menu say alike where it is.
    active = [
        link.entry.url_name for part in response.context["furniture"].menu for link in part.entries if link.active
    ]
    assert active == ["partner_payouts"] and reverse("partner_payouts") in response.content.decode()
    assert f"#{Accrual.objects.get(partner=settled.sub, state='accrued').ticket}" in text


def test_staff_looking_at_a_trade_is_access_logged(earned, cast, browse):
    row = Accrual.objects.first()
    browse(cast.ib_manager).get(reverse("ib_accrual", args=[row.pk]))
    assert AccessEvent.objects.filter(
        user=cast.ib_manager, client_id=cast.client.pk, target=f"ib.accrual:{row.pk}"
    ).exists()


def test_accruals_are_found_by_the_platforms_deal_number(earned, cast, browse):
    row = Accrual.objects.filter(state="accrued").first()
    answer = browse(cast.finance).get(reverse("ib_accruals"), {"deal": row.ticket})
    # A client may by chance have the number of a deal, so the rows are asked, not the page.
    assert [one.ticket for one in answer.context["table"].page.rows] == [row.ticket] * 3
    assert f"#{row.ticket}" in answer.content.decode()


def test_a_click_is_counted_and_leads_to_registration_with_the_code(network, browse):
    response = browse(None).get(reverse("referral", args=[network.sub.code]))
    assert response.status_code == 302 and f"ref={network.sub.code}" in response["Location"]
    assert ReferralDay.objects.get().clicks == 1


def test_a_program_that_previews_links_is_not_counted(network, browse):
    browse(None).get(
        reverse("referral", args=[network.sub.code]), headers={"user-agent": "TelegramBot (like TwitterBot)"}
    )
    assert not ReferralDay.objects.exists()


def test_an_unknown_code_leads_to_the_entrance(db, browse):
    assert browse(None).get(reverse("referral", args=["nobody"]))["Location"] == "/"


def test_the_ib_manager_makes_a_partner_who_chooses_a_password(cast, network, browse, client):
    response = browse(cast.ib_manager).post(
        reverse("ib_partner_new"),
        {
            "brand": cast.brand.pk,
            "name": "Nordlicht",
            "email": "n@nordlicht.example",
            "currency": "EUR",
            "parent": network.sub.code,
            "plan": network.version.plan_id,
        },
    )
    partner = Partner.objects.get(name="Nordlicht")
    assert response.status_code == 302 and partner.links_up.get().parent == network.sub
    crm_mail.deliver(mail_id=OutgoingMail.objects.get(kind="ib.invitation").pk)
    address = re.search(r"/partners/welcome/\S+/", mail.outbox[0].body)[0]
    done = client.post(address, {"password1": "correct horse battery 7", "password2": "correct horse battery 7"})
    assert done.status_code == 302
    assert client.get(reverse("partner_home")).status_code == 200


def test_a_wrong_parent_code_is_said_so_and_the_form_keeps_what_was_typed(cast, network, browse):
    response = browse(cast.ib_manager).post(
        reverse("ib_partner_new"),
        {"brand": cast.brand.pk, "name": "Nordlicht", "email": "n@n.example", "currency": "EUR", "parent": "nobody"},
    )
    page = response.content.decode()
    assert "No partner named" in page and 'value="Nordlicht"' in page


def test_the_new_partners_plans_and_uplines_are_those_of_the_brand(cast, network, browse):
    for person in (cast.ib_manager, cast.finance):
        assign_perm("crm.access_brand", person, cast.other_brand)
    maker, checker = (
        User.objects.get(pk=person.pk) for person in (cast.ib_manager, cast.finance)
    )  # their reach as it is now
    other = make_version(cast.other_brand, maker, checker)
    foreign = make_partner(cast.other_brand)
    browser, address = browse(maker), reverse("ib_partner_new")
    for brand, plan, partner, hidden_plan, hidden in (
        (cast.brand, network.version.plan, network.sub, other.plan, foreign),
        (cast.other_brand, other.plan, foreign, network.version.plan, network.sub),
    ):
        page = browser.get(address, {"brand": brand.pk}).content.decode()
        assert f">{plan}</option>" in page and f">{hidden_plan}</option>" not in page
        assert f'<option value="{partner.code}">' in page and f'<option value="{hidden.code}">' not in page
    data = {"brand": cast.brand.pk, "name": "N", "email": "n@n.example", "currency": "EUR", "plan": other.plan_id}
    assert browser.post(address, data).status_code == 422 and not Partner.objects.filter(name="N").exists()


def test_an_upline_is_found_by_name_and_several_are_named(cast, network, browse):
    network.top.name, network.master.name, network.sub.name = "Nordlicht Trading", "Nordwind", "Nordwind Süd"
    for partner in (network.top, network.master, network.sub):
        partner.save(update_fields=["name"])
    browser, address = browse(cast.ib_manager), reverse("ib_partner_new")
    data = {"brand": cast.brand.pk, "name": "New one", "email": "new@n.example", "currency": "EUR"}
    page = browser.post(address, {**data, "parent": "nord"}).content.decode()
    assert "Several partners match" in page and f"Nordwind ({network.master.code})" in page and 'value="nord"' in page
    assert (
        browser.post(address, {**data, "parent": "nordwind"}).status_code == 302
    )  # the whole name, though another begins so
    assert Partner.objects.get(name="New one").links_up.get().parent == network.master


def test_moving_a_partner_below_its_own_sub_is_refused_on_the_form(network, cast, browse):
    response = browse(cast.ib_manager).post(
        reverse("ib_partner_move", args=[network.top.pk]), {"parent": network.sub.code, "reason": "try"}
    )
    assert "loop" in response.content.decode()


def test_a_client_is_assigned_by_number(network, cast, browse):
    browse(cast.ib_manager).post(
        reverse("ib_partner_attribute", args=[network.top.pk]),
        {"client": cast.other_client.pk, "reason": "introduced by hand"},
    )
    assert AttributionProposal.objects.get(client=cast.other_client).partner == network.top


def rate_form(**changes):
    fields = {
        "starts_at": "2027-01-01T00:00",
        "currency": "EUR",
        "min_hold_seconds": "120",
        "clawback_days": "60",
        "is_pool": "on",
        "account_groups": "real\\*, vip*",
        "rate_fx_majors": "12",
        "share_1": "70",
        "share_2": "30",
        "fixed_fx_majors_2": "3.5",
    }
    return {**fields, **changes}


def test_a_version_is_written_proposed_and_activated_by_two_people(network, cast, browse):
    plan = network.version.plan
    browse(cast.ib_manager).post(reverse("ib_version_new", args=[plan.pk]), rate_form(propose="1"))
    version = PlanVersion.objects.get(plan=plan, number=2)
    assert (version.state, version.account_groups) == ("pending", ["real\\*", "vip*"])
    assert plans.rate_card(version).of_level("fx_majors", 2) == Decimal("3.5")
    decide = reverse("ib_version_decide", args=[version.pk])
    browse(cast.ib_manager).post(decide, {"activate": "1"})
    version.refresh_from_db()
    assert version.state == "pending"
    browse(cast.finance).post(decide, {"activate": "1", "reason": "fits"})
    version.refresh_from_db()
    assert (version.state, version.decided_by) == ("active", cast.finance)


def test_a_rate_card_above_its_pot_is_refused_with_what_was_typed(network, cast, browse):
    plan = network.version.plan
    response = browse(cast.ib_manager).post(reverse("ib_version_new", args=[plan.pk]), rate_form(share_1="90"))
    page = response.content.decode()
    assert "exceeds the total" in page and 'value="90"' in page
    assert plan.versions.count() == 1


def test_the_form_of_a_next_version_starts_from_the_last_one(network, cast, browse):
    page = browse(cast.ib_manager).get(reverse("ib_version_new", args=[network.version.plan_id])).content.decode()
    assert 'name="rate_fx_majors" value="10"' in page and 'name="share_1" value="60"' in page


def test_finance_settles_a_period_on_its_page(earned, cast, browse):
    period = SettlementPeriod.objects.get(starts_at__lte=NOON, ends_at__gt=NOON)
    response = browse(cast.finance).post(reverse("ib_settle", args=[period.pk]), follow=True)
    assert "Period settled. Commissions of 3 partners" in text_of(response)
    assert Settlement.objects.count() == 3
    assert "already settled" in text_of(browse(cast.finance).post(reverse("ib_settle", args=[period.pk]), follow=True))


def test_the_client_page_tells_who_referred_and_what_was_earned(earned, cast, rf):
    from ib.panels import partner_tab

    request = rf.get("/")
    request.user = cast.ib_manager
    text = text_of(partner_tab(request, cast.client))
    assert earned.sub.name in text and earned.top.name in text and "€3.00" in text


def test_a_payout_on_the_page_is_made_once_however_often_the_form_is_sent(settled, cast, browse):
    settled.sub.client = cast.other_client
    settled.sub.save(update_fields=["client"])
    browser = browse(settled.sub.user)
    for _time in range(2):
        browser.post(reverse("partner_payouts"), {"amount": "1.50", "currency": "EUR", "request_key": "k1"})
    assert settlement.balances_of(settled.sub) == {"EUR": Decimal("1.50")}


def test_a_blocked_partner_is_told_on_the_first_page(network, cast, browse):
    from ib.choices import PartnerState
    from ib.partners import change_state

    change_state(partner_id=network.sub.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="x")
    assert "inactive" in text_of(browse(network.sub.user).get(reverse("partner_home")))


def test_plans_of_the_other_brand_are_not_there(network, cast, browse):
    plan = plans.create_plan(brand=cast.other_brand, name="Foreign", description="", actor=None)
    assert browse(cast.ib_manager).get(reverse("ib_plan", args=[plan.pk])).status_code == 404

"""The front page of the client portal: the next step first, what everything is worth, a card for each account."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from clients.choices import Category
from clients.models import Client
from portal.onboarding import progress_of
from portal.views.front_page import cards_of, next_step
from tests.cast import signed_in
from tests.kyc.categories.factories import categorise
from tests.trading.factories import make_account, make_server
from tests.wallet.bonuses.test_bonus import give, make_plan
from tests.wallet.conftest import load_rates
from tests.wallet.factories import fund
from trading.models import EquityPoint
from trading.queries import accounts_of
from wallet.models import BonusPlan
from wallet.movements.queries import wallets_of

pytestmark = pytest.mark.django_db


def step(client):
    return next_step(progress_of(client), wallets_of(client), cards_of(accounts_of(client.user, client.pk)))


def test_the_next_step_leads_from_verification_to_trading(cast):
    client = cast.client
    assert step(client).label.startswith("Get verified (")
    client.kyc_level = 1
    client.save()
    assert step(client).url == "/portal/wallet/deposit/"
    fund(client, 10_000)
    assert step(client).url == "/portal/accounts/open/"
    account = make_account(client, make_server(kind="mt5"), equity=0)
    assert step(client).url == f"/portal/wallet/transfer/?account={account.pk}"
    account.equity = 100
    account.save()
    trading = step(client)
    assert trading.is_outside and trading.url.startswith("https://")


def test_only_demo_money_is_no_money(cast):
    client = cast.client
    client.kyc_level = 1
    client.save()
    make_account(client, make_server(), equity=10_000, is_demo=True)
    assert step(client).url == "/portal/wallet/deposit/"


def test_the_page_shows_equity_curve_and_cards(room):
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    room.account.opened_at = timezone.now() - dt.timedelta(days=200)
    room.account.save()
    for back in range(1, 120):
        EquityPoint.objects.create(
            account=room.account, at=midnight - dt.timedelta(days=back, hours=-1), balance=900, equity=900 - back
        )
    make_account(room.client, make_server(name="Demo"), is_demo=True, login="999001", equity=5)
    page = room.browser.get("/portal/").content.decode()
    assert "Total equity" in page and "+€101.00" in page and "k-area-chart" in page
    assert page.index(room.account.login) < page.index("1 demo account") < page.index("999001")
    assert page.count("<title>") == 1 + 31
    assert room.browser.get("/portal/?days=90").content.decode().count("<title>") == 1 + 91
    assert room.browser.get("/portal/?days=evil").content.decode().count("<title>") == 1 + 31


def test_the_next_step_is_no_second_button(room):
    room.account.equity = 0
    room.account.save()
    hero = room.browser.get("/portal/").content.decode().partition('class="actions"')[2].partition("</section>")[0]
    assert hero.partition("</div>")[0].count("/portal/wallet/transfer/") == 1


def test_a_new_client_sees_their_steps_and_no_empty_chart(cast):
    page = signed_in(cast.client_user).get("/portal/").content.decode()
    assert "Get verified (" in page and "k-area-chart" not in page and "Total equity" not in page
    assert "No trading account yet" in page and "No transactions yet" in page


@pytest.fixture
def offered(cast):
    """A campaign on every deposit for professional clients, who are verified."""
    categorise(cast.client.pk, Category.PROFESSIONAL)
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    make_plan(cast, name="Spring", trigger="every_deposit", percent=Decimal(20), deposit_minimum_minor=10_000)
    return cast


def card(cast) -> str:
    page = signed_in(cast.client_user).get("/portal/").content.decode()
    shown = page[page.index(">Promotions<") :] if ">Promotions<" in page else ""
    return " ".join(strip_tags(shown).split())


def test_a_promotion_is_shown_with_its_terms_and_what_is_left(offered):
    page = card(offered)
    assert "Spring" in page and "20% bonus on your deposit, up to €500.00" in page
    assert "Minimum deposit €100.00." in page and "Every 100 EUR of bonus is released after 2 closed lots." in page
    load_rates()
    give(offered, BonusPlan.objects.get(), "180")
    assert "up to €320.00" in card(offered)


@pytest.mark.parametrize(
    ("change", "terms"),
    [
        ({"category": Category.RETAIL}, {}),
        ({"kyc_level": 0}, {}),
        ({"restrictions": ["no_deposit"]}, {}),
        ({}, {"trigger": "by_hand", "percent": 0}),
        ({}, {"valid_from": lambda: timezone.now().date() + dt.timedelta(days=1), "trigger": "every_deposit"}),
        ({"first_deposit_at": timezone.now()}, {"trigger": "first_deposit"}),
    ],
)
def test_no_card_for_who_may_not_take_it(cast, change, terms):
    """A retail client where bonuses are forbidden is never shown one, nor what staff give by hand or what comes later."""
    categorise(cast.client.pk, change.get("category", Category.PROFESSIONAL))
    Client.objects.filter(pk=cast.client.pk).update(**{"kyc_level": 2, **change})
    terms = {name: value() if callable(value) else value for name, value in terms.items()}
    make_plan(cast, **{"trigger": "every_deposit", "percent": Decimal(20), **terms})
    assert not card(cast)


def test_a_switched_off_plan_or_another_brands_is_no_promotion(offered):
    BonusPlan.objects.update(brand=offered.other_brand)
    assert not card(offered)
    BonusPlan.objects.update(brand=offered.brand, is_enabled=False)
    assert not card(offered)
